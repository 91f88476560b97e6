// The least that a run with nothing to do costs on the host: look at everything once.
//
//   limit MANIFEST      lines `MODE SUM PATH`; SUM is FNV-1a of the content, or `-` where only the entry counts
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static unsigned long long sum(FILE *file) {
  unsigned long long hash = 14695981039346656037ULL;
  unsigned char buffer[65536];
  for (size_t got; (got = fread(buffer, 1, sizeof buffer, file)) > 0;)
    for (size_t at = 0; at < got; at++) hash = (hash ^ buffer[at]) * 1099511628211ULL;
  return hash;
}

int main(int count, char **words) {
  FILE *manifest = count == 2 ? fopen(words[1], "r") : NULL;
  if (!manifest) return fprintf(stderr, "limit MANIFEST\n"), 2;
  unsigned mode;
  char wanted[17], path[4096];
  int wrong = 0;
  while (fscanf(manifest, "%o %16s %4095s", &mode, wanted, path) == 3) {
    struct stat about;
    if (lstat(path, &about) || (about.st_mode & 07777) != mode) {
      wrong++;
      continue;
    }
    if (!strcmp(wanted, "-")) continue;
    FILE *file = fopen(path, "r");
    wrong += !file || sum(file) != strtoull(wanted, NULL, 16);
    if (file) fclose(file);
  }
  if (wrong) printf("%d wrong\n", wrong);
  return wrong != 0;
}

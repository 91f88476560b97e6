CREATE TABLE workshops (
  name text PRIMARY KEY,
  title text NOT NULL,
  description text NOT NULL,
  capacity integer NOT NULL CHECK (capacity >= 0),
  active boolean NOT NULL
);

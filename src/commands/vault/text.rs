//! Encrypted texts as values of variables.

use std::io::{self, Read};

use super::passwords::Passwords;
use crate::commands::passwords::asked;
use crate::commands::{Error, Exit, answer};
use crate::failure::plain;
use crate::vault;

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Strings to encrypt; `-` for standard input
    strings: Vec<String>,
    /// Variable name, one for each string
    #[arg(short = 'n', long, value_name = "NAME")]
    name: Vec<String>,
    /// Read a string from standard input for the variable with this name
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,
    /// Ask for a string
    #[arg(short = 'p', long)]
    prompt: bool,
    #[command(flatten)]
    passwords: Passwords,
}

pub fn run(args: &Args) -> Result<Exit, Error> {
    let secret = args.passwords.to_encrypt()?;
    let mut out = String::new();
    for (name, text) in texts(args)? {
        out.push_str(&written(name.as_deref(), &vault::encrypt(text.as_bytes(), &secret, None)?));
    }
    answer(&out)
}

/// The texts with the names of their variables.
fn texts(args: &Args) -> Result<Vec<(Option<String>, String)>, Error> {
    if args.stdin_name.is_some() && args.strings.iter().any(|text| text == "-") {
        return Err("standard input can be read once: use `-` or --stdin-name".into());
    }
    let mut texts = Vec::new();
    let mut names = args.name.iter().cloned();
    if args.prompt {
        texts.push((names.next(), asked("String to encrypt: ", "give the text as an argument")?));
    }
    for text in &args.strings {
        let text = if text == "-" { standard_input()? } else { text.clone() };
        texts.push((names.next(), text));
    }
    if args.stdin_name.is_some() || texts.is_empty() {
        texts.push((args.stdin_name.clone().or_else(|| names.next()), standard_input()?));
    }
    if let Some(name) = names.next() {
        return Err(format!("there is no text for the name `{name}`").into());
    }
    Ok(texts)
}

fn standard_input() -> Result<String, Error> {
    let mut text = String::new();
    let read = io::stdin().lock().read_to_string(&mut text);
    read.map_err(|error| format!("cannot read standard input: {}", plain(&error)))?;
    match text.is_empty() {
        true => Err("standard input holds no text to encrypt".into()),
        false => Ok(text),
    }
}

/// A line of YAML with the value below it, as Ansible indents it.
fn written(name: Option<&str>, encrypted: &str) -> String {
    let name = name.map_or_else(String::new, |name| format!("{name}: "));
    let lines = encrypted.lines().map(|line| format!("          {line}\n"));
    format!("{name}!vault |\n{}", lines.collect::<String>())
}

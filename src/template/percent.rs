//! Python's `%` on text, which Jinja's filter `format` is too.

use minijinja::{Error, Value};

use super::arguments::{bounded, wrong};
use super::python::{self, Number};

/// What goes into the fields.
pub enum Given<'a> {
    /// One value after the other.
    Row(&'a [Value]),
    /// By name: `%(name)s`. A field without a name takes the whole.
    Named(&'a Value),
}

/// A field: `%[(name)][flags][width][.precision]kind`.
#[derive(Default)]
struct Field {
    left: bool,
    plus: bool,
    blank: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
    kind: char,
}

/// `format % given`
pub fn format(format: &str, given: &Given) -> Result<String, Error> {
    let mut out = String::new();
    let mut values = Values { given, used: 0 };
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (field, value, behind) = read(rest, &mut values)?;
        rest = behind;
        match value {
            Some(value) => out += &field.padded(&value)?,
            None => out.push('%'),
        }
    }
    values.all_used()?;
    Ok(out + rest)
}

struct Values<'a> {
    given: &'a Given<'a>,
    used: usize,
}

impl Values<'_> {
    fn next(&mut self) -> Result<Value, Error> {
        let value = match self.given {
            Given::Row(row) => row.get(self.used).cloned(),
            Given::Named(whole) => (self.used == 0).then(|| (*whole).clone()),
        };
        self.used += 1;
        value.ok_or_else(|| wrong("not enough values for the fields of the format"))
    }

    fn named(&mut self, name: &str) -> Result<Value, Error> {
        let Given::Named(whole) = self.given else {
            return Err(wrong(format!("the field `%({name})` needs a mapping")));
        };
        let found = python::get(whole, &name.into())?;
        if found.is_undefined() {
            Err(wrong(format!("there is no value for the field `%({name})`")))
        } else {
            Ok(found)
        }
    }

    fn all_used(&self) -> Result<(), Error> {
        match self.given {
            Given::Row(row) if self.used < row.len() => {
                Err(wrong(format!("the format has {} fields, {} values are given", self.used, row.len())))
            }
            _ => Ok(()),
        }
    }
}

/// Reads what stands behind a `%`. `%%` has no value.
fn read<'t>(text: &'t str, values: &mut Values) -> Result<(Field, Option<Value>, &'t str), Error> {
    let mut field = Field::default();
    let mut rest = text;
    let mut named = None;
    if let Some(inner) = rest.strip_prefix('(') {
        let (name, behind) = inner.split_once(')').ok_or_else(|| wrong("the format has `%(` without `)`"))?;
        named = Some(values.named(name)?);
        rest = behind;
    }
    while let Some(flag) = rest.chars().next().filter(|flag| "-+ 0#".contains(*flag)) {
        match flag {
            '-' => field.left = true,
            '+' => field.plus = true,
            ' ' => field.blank = true,
            '0' => field.zero = true,
            _ => field.alternate = true,
        }
        rest = &rest[1..];
    }
    if let Some(width) = size(&mut rest, values)? {
        field.left |= width < 0;
        field.width = width.unsigned_abs() as usize;
    }
    if let Some(behind) = rest.strip_prefix('.') {
        rest = behind;
        field.precision = Some(size(&mut rest, values)?.map_or(0, |size| size.max(0) as usize));
    }
    rest = rest.strip_prefix(['h', 'l', 'L']).unwrap_or(rest);
    field.kind = rest.chars().next().ok_or_else(|| wrong("the format ends in the middle of a field"))?;
    let behind = &rest[field.kind.len_utf8()..];
    if field.kind == '%' {
        return Ok((field, None, behind));
    }
    let value = named.map_or_else(|| values.next(), Ok)?;
    Ok((field, Some(value), behind))
}

/// A number in the format, or `*`, which takes one of the values.
fn size(rest: &mut &str, values: &mut Values) -> Result<Option<i64>, Error> {
    let number = if let Some(behind) = rest.strip_prefix('*') {
        *rest = behind;
        let value = values.next()?;
        value.as_i64().ok_or_else(|| wrong(format!("`*` needs a whole number, it is {}", python::described(&value))))?
    } else {
        let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        if digits == 0 {
            return Ok(None);
        }
        let (number, behind) = rest.split_at(digits);
        *rest = behind;
        number.parse().unwrap_or(i64::MAX)
    };
    bounded(number.unsigned_abs() as usize)?;
    Ok(Some(number))
}

impl Field {
    fn padded(&self, value: &Value) -> Result<String, Error> {
        let (sign, body, is_number) = self.converted(value)?;
        let missing = self.width.saturating_sub(sign.chars().count() + body.chars().count());
        Ok(match (self.left, self.zero && is_number) {
            (true, _) => format!("{sign}{body}{}", " ".repeat(missing)),
            (false, true) => format!("{sign}{}{body}", "0".repeat(missing)),
            (false, false) => format!("{}{sign}{body}", " ".repeat(missing)),
        })
    }

    /// The sign with its prefix, the rest, and whether it may be filled with zeros.
    fn converted(&self, value: &Value) -> Result<(String, String, bool), Error> {
        let text = |text: String| match self.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text,
        };
        Ok(match self.kind {
            's' => (String::new(), text(python::text(value).into_owned()), false),
            'r' => (String::new(), text(python::repr(value)), false),
            'a' => (String::new(), text(python::ascii(value)), false),
            'c' => (String::new(), letter(value)?, false),
            'd' | 'i' | 'u' | 'x' | 'X' | 'o' => self.whole(value)?,
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let number = self.number(value)?.float();
                let body = super::decimals::decimal(number.abs(), self.kind, self.precision, self.alternate);
                (self.sign(number.is_sign_negative() && !number.is_nan()), body, number.is_finite())
            }
            other => return Err(wrong(format!("the format has a field of no known kind: `{other}`"))),
        })
    }

    fn whole(&self, value: &Value) -> Result<(String, String, bool), Error> {
        let number = match (self.number(value)?, self.kind) {
            (Number::Int(number), _) => number,
            (Number::Float(number), 'd' | 'i' | 'u') if number.is_finite() => number.trunc() as i128,
            _ => {
                return Err(wrong(format!(
                    "`%{}` needs a whole number, this is {}",
                    self.kind,
                    python::described(value)
                )));
            }
        };
        let (prefix, digits) = match self.kind {
            'x' => ("0x", format!("{:x}", number.unsigned_abs())),
            'X' => ("0X", format!("{:X}", number.unsigned_abs())),
            'o' => ("0o", format!("{:o}", number.unsigned_abs())),
            _ => ("", number.unsigned_abs().to_string()),
        };
        let prefix = if self.alternate { prefix } else { "" };
        let zeros = self.precision.unwrap_or(0).saturating_sub(digits.len());
        Ok((self.sign(number < 0) + prefix, "0".repeat(zeros) + &digits, true))
    }

    fn number(&self, value: &Value) -> Result<Number, Error> {
        python::number(value)
            .ok_or_else(|| wrong(format!("`%{}` needs a number, this is {}", self.kind, python::described(value))))
    }

    fn sign(&self, negative: bool) -> String {
        match (negative, self.plus, self.blank) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
        .to_owned()
    }
}

/// `%c`: a letter, or its number.
fn letter(value: &Value) -> Result<String, Error> {
    let found = match (value.as_str(), python::number(value)) {
        (Some(text), _) if text.chars().count() == 1 => text.chars().next(),
        (None, Some(Number::Int(number))) => u32::try_from(number).ok().and_then(char::from_u32),
        _ => None,
    };
    found.map(String::from).ok_or_else(|| wrong(format!("`%c` needs one letter, this is {}", python::described(value))))
}

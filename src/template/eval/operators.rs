//! Python's operators.

use std::cmp::Ordering;

use crate::template::syntax::ast::{BinOpKind, CompareOpKind};
use minijinja::Error;
use minijinja::value::{Value as Jinja, ValueKind};

use crate::template::arguments::LONGEST;
use crate::template::blank::is_blank;
use crate::template::containers::Array;
use crate::template::percent::{self, Given};
use crate::template::python::{self, Number};

/// Why an operator has no result.
pub enum Problem {
    /// In our words.
    Message(String),
    /// In those of what was called.
    Error(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem::Error(error)
    }
}

/// `left OP right`
pub fn binary(op: BinOpKind, left: &Jinja, right: &Jinja) -> Result<Jinja, Problem> {
    use BinOpKind as Op;
    let compared = |op| compare(op, left, right).map(Jinja::from);
    match op {
        Op::Eq => compared(CompareOpKind::Eq),
        Op::Ne => compared(CompareOpKind::Ne),
        Op::Lt => compared(CompareOpKind::Lt),
        Op::Lte => compared(CompareOpKind::Lte),
        Op::Gt => compared(CompareOpKind::Gt),
        Op::Gte => compared(CompareOpKind::Gte),
        Op::In => compared(CompareOpKind::In),
        Op::Concat => Ok(Jinja::from(format!("{}{}", python::text(left), python::text(right)))),
        Op::Add => add(left, right),
        Op::Mul => multiply(left, right),
        Op::Rem => match left.as_str() {
            Some(text) => format(text, right),
            None => numbers(op, left, right),
        },
        _ => numbers(op, left, right),
    }
}

/// `left OP right`, for comparisons.
pub fn compare(op: CompareOpKind, left: &Jinja, right: &Jinja) -> Result<bool, Problem> {
    Ok(match op {
        CompareOpKind::Eq => equal(left, right),
        CompareOpKind::Ne => !equal(left, right),
        CompareOpKind::Lt => python::compare(left, right)? == Ordering::Less,
        CompareOpKind::Lte => python::compare(left, right)? != Ordering::Greater,
        CompareOpKind::Gt => python::compare(left, right)? == Ordering::Greater,
        CompareOpKind::Gte => python::compare(left, right)? != Ordering::Less,
        CompareOpKind::In => contains(right, left)?,
        CompareOpKind::NotIn => !contains(right, left)?,
    })
}

/// `-value`
pub fn negative(value: &Jinja) -> Result<Jinja, String> {
    match python::number(value) {
        Some(Number::Int(number)) => Ok(Number::Int(-number).into()),
        Some(Number::Float(number)) => Ok(Jinja::from(-number)),
        None => Err(format!("only numbers have a negative, this is {}", python::described(value))),
    }
}

/// Python's `==`.
pub fn equal(left: &Jinja, right: &Jinja) -> bool {
    match (python::number(left), python::number(right)) {
        (Some(Number::Int(left)), Some(Number::Int(right))) => return left == right,
        (Some(left), Some(right)) => return left.float() == right.float(),
        (None, None) => {}
        _ => return false,
    }
    if is_blank(left) || is_blank(right) {
        return is_blank(left) && is_blank(right);
    }
    match (left.kind(), right.kind()) {
        (ValueKind::Map, ValueKind::Map) => equal_maps(left, right),
        (ValueKind::Seq | ValueKind::Iterable, ValueKind::Seq | ValueKind::Iterable) => {
            python::is_tuple(left) == python::is_tuple(right) && equal_lists(left, right)
        }
        _ => left == right,
    }
}

fn equal_lists(left: &Jinja, right: &Jinja) -> bool {
    match (python::items(left), python::items(right)) {
        (Ok(left), Ok(right)) => {
            left.len() == right.len() && left.iter().zip(&right).all(|(left, right)| equal(left, right))
        }
        _ => false,
    }
}

fn equal_maps(left: &Jinja, right: &Jinja) -> bool {
    let Ok(entries) = python::pairs(left) else { return false };
    left.len() == right.len()
        && entries.iter().all(|(key, value)| {
            right
                .get_item(key)
                .is_ok_and(|other| (!other.is_undefined() || value.is_undefined()) && equal(value, &other))
        })
}

fn contains(whole: &Jinja, part: &Jinja) -> Result<bool, Problem> {
    match (whole.as_str(), part.as_str()) {
        (Some(whole), Some(part)) => return Ok(whole.contains(part)),
        (Some(_), None) => {
            return Err(Problem::Message(format!("a text can only contain a text, not {}", python::described(part))));
        }
        _ => {}
    }
    match whole.kind() {
        ValueKind::Map => Ok(!whole.get_item(part)?.is_undefined() || has_key(whole, part)),
        ValueKind::Seq | ValueKind::Iterable => Ok(python::items(whole)?.iter().any(|item| equal(item, part))),
        _ if is_blank(whole) => Ok(false),
        _ => Err(Problem::Message(format!(
            "`in` needs a list, a mapping or a text, this is {}",
            python::described(whole)
        ))),
    }
}

fn has_key(whole: &Jinja, key: &Jinja) -> bool {
    python::items(whole).is_ok_and(|keys| keys.iter().any(|known| equal(known, key)))
}

fn add(left: &Jinja, right: &Jinja) -> Result<Jinja, Problem> {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return Ok(Jinja::from(format!("{left}{right}")));
    }
    if python::is_list(left) && python::is_list(right) && python::is_tuple(left) == python::is_tuple(right) {
        let mut items = python::items(left)?;
        items.extend(python::items(right)?);
        return Ok(if python::is_tuple(left) { python::tuple(items) } else { Array::value(items) });
    }
    numbers(BinOpKind::Add, left, right)
}

fn multiply(left: &Jinja, right: &Jinja) -> Result<Jinja, Problem> {
    for (thing, times) in [(left, right), (right, left)] {
        let Some(Number::Int(times)) = python::number(times) else { continue };
        let times = usize::try_from(times.max(0)).unwrap_or(usize::MAX);
        let too_long = |length: usize| length.checked_mul(times).is_none_or(|length| length > LONGEST);
        if let Some(text) = thing.as_str() {
            if too_long(text.len()) {
                return Err(Problem::Message("the text would be too long".into()));
            }
            return Ok(Jinja::from(text.repeat(times)));
        }
        if python::is_list(thing) {
            let items = python::items(thing)?;
            if too_long(items.len()) {
                return Err(Problem::Message("the list would be too long".into()));
            }
            return Ok(Array::value(items.iter().cycle().take(items.len() * times).cloned().collect()));
        }
    }
    numbers(BinOpKind::Mul, left, right)
}

/// `'%s' % value`
fn format(left: &str, right: &Jinja) -> Result<Jinja, Problem> {
    let text = if python::is_tuple(right) {
        percent::format(left, &Given::Row(&python::items(right)?))
    } else if python::is_map(right) || python::is_list(right) {
        percent::format(left, &Given::Named(right))
    } else {
        percent::format(left, &Given::Row(std::slice::from_ref(right)))
    };
    Ok(Jinja::from(text?))
}

fn numbers(op: BinOpKind, left: &Jinja, right: &Jinja) -> Result<Jinja, Problem> {
    let (Some(a), Some(b)) = (python::number(left), python::number(right)) else {
        return Err(Problem::Message(format!(
            "{} and {} do not go together with `{}`",
            python::described(left),
            python::described(right),
            sign(op)
        )));
    };
    let too_big = || Problem::Message("the number is too big".into());
    let zero = match b {
        Number::Int(number) => number == 0,
        Number::Float(number) => number == 0.0,
    };
    if zero && matches!(op, BinOpKind::Div | BinOpKind::FloorDiv | BinOpKind::Rem) {
        return Err(Problem::Message("division by zero".into()));
    }
    let result = match (op, a, b) {
        (BinOpKind::Add, Number::Int(a), Number::Int(b)) => Number::Int(a.checked_add(b).ok_or_else(too_big)?),
        (BinOpKind::Sub, Number::Int(a), Number::Int(b)) => Number::Int(a.checked_sub(b).ok_or_else(too_big)?),
        (BinOpKind::Mul, Number::Int(a), Number::Int(b)) => Number::Int(a.checked_mul(b).ok_or_else(too_big)?),
        (BinOpKind::FloorDiv, Number::Int(a), Number::Int(b)) => Number::Int(floor_divide(a, b)),
        (BinOpKind::Rem, Number::Int(a), Number::Int(b)) => Number::Int(a - floor_divide(a, b) * b),
        (BinOpKind::Pow, Number::Int(a), Number::Int(b)) if b >= 0 => {
            let power = u32::try_from(b).map_err(|_| too_big())?;
            Number::Int(a.checked_pow(power).ok_or_else(too_big)?)
        }
        (BinOpKind::Pow, a, b) if python::has_no_power(a.float(), b.float()) => {
            return Err(Problem::Message("this power is no number".into()));
        }
        (op, a, b) => Number::Float(floats(op, a.float(), b.float())),
    };
    Ok(result.into())
}

fn floor_divide(a: i128, b: i128) -> i128 {
    let quotient = a / b;
    if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
}

fn floats(op: BinOpKind, a: f64, b: f64) -> f64 {
    match op {
        BinOpKind::Add => a + b,
        BinOpKind::Sub => a - b,
        BinOpKind::Mul => a * b,
        BinOpKind::Div => a / b,
        BinOpKind::FloorDiv => ((a - remainder(a, b)) / b).round(),
        BinOpKind::Rem => remainder(a, b),
        BinOpKind::Pow => a.powf(b),
        _ => f64::NAN,
    }
}

/// With the sign of the divisor.
fn remainder(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest == 0.0 {
        0f64.copysign(b)
    } else if (rest < 0.0) == (b < 0.0) {
        rest
    } else {
        rest + b
    }
}

fn sign(op: BinOpKind) -> &'static str {
    match op {
        BinOpKind::Add => "+",
        BinOpKind::Sub => "-",
        BinOpKind::Mul => "*",
        BinOpKind::Div => "/",
        BinOpKind::FloorDiv => "//",
        BinOpKind::Rem => "%",
        BinOpKind::Pow => "**",
        _ => "~",
    }
}

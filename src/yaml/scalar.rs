//! Which plain scalar is what: YAML 1.1 as PyYAML resolves it, since that is what Ansible's users rely on.

use crate::value::Value;

/// The value of a plain (unquoted, untagged) scalar.
///
/// Dates stay text, and so does a whole number that no `i64` holds; everything else is PyYAML's answer.
pub fn resolve(text: &str) -> Value {
    special(text).unwrap_or_else(|| Value::Str(text.to_owned()))
}

/// The value of a plain scalar that is anything but text.
pub fn special(text: &str) -> Option<Value> {
    let Some(&first) = text.as_bytes().first() else { return Some(Value::Null) };
    match first {
        b'~' if text == "~" => Some(Value::Null),
        b'n' | b'N' if matches!(text, "null" | "Null" | "NULL") => Some(Value::Null),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => boolean(text).map(Value::Bool),
        b'-' | b'+' | b'.' | b'0'..=b'9' => float(text).map(Value::Float).or_else(|| integer(text).map(Value::Int)),
        _ => None,
    }
}

/// YAML 1.1's words for true and false; a lone `y` or `n` is none of them.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Decimal, `0b`, `0x`, octal by a leading zero, and sexagesimal (`12:30:00`), each with `_` between digits.
pub fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = signed(text);
    let number = if let Some(binary) = digits.strip_prefix("0b") {
        radix(binary, 2)?
    } else if let Some(hexadecimal) = digits.strip_prefix("0x") {
        radix(hexadecimal, 16)?
    } else if digits.len() > 1 && digits.starts_with('0') {
        // `0_` is zero to PyYAML.
        if digits[1..].bytes().all(|byte| byte == b'_') { 0 } else { radix(&digits[1..], 8)? }
    } else if digits.contains(':') {
        let (whole, rest) = digits.split_once(':')?;
        if whole.starts_with('0') {
            return None;
        }
        rest.split(':').try_fold(decimal(whole)?, |sum, part| {
            sum.checked_mul(60)?.checked_add(sixtieth(part)?) //
        })?
    } else {
        decimal(digits)?
    };
    number.checked_mul(sign)
}

/// A number with a dot; an exponent needs both the dot and a sign. `.inf`, `.nan` and sexagesimal forms too.
pub fn float(text: &str) -> Option<f64> {
    let (sign, digits) = signed(text);
    match digits {
        ".inf" | ".Inf" | ".INF" => return Some(f64::INFINITY * sign as f64),
        ".nan" | ".NaN" | ".NAN" if digits == text => return Some(f64::NAN),
        _ => {}
    }
    let (whole, fraction) = digits.split_once('.')?;
    if whole.contains(':') {
        return sexagesimal(whole, fraction).map(|number| number * sign as f64);
    }
    let (mantissa, exponent) = match fraction.find(['e', 'E']) {
        Some(at) => (&fraction[..at], Some(&fraction[at + 1..])),
        None => (fraction, None),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let fits = if whole.is_empty() {
        // Without a digit before the dot there is no sign, and a digit follows.
        digits == text && starts_with_digit(mantissa) && underscored(mantissa)
    } else {
        starts_with_digit(whole) && underscored(whole) && underscored(mantissa)
    };
    (fits && exponent_fits).then(|| text.replace('_', "").parse().ok()).flatten()
}

fn sexagesimal(whole: &str, fraction: &str) -> Option<f64> {
    let (first, rest) = whole.split_once(':')?;
    if !starts_with_digit(first) || !underscored(first) || !underscored(fraction) {
        return None;
    }
    let parts: Vec<&str> = rest.split(':').collect();
    let mut number: f64 = first.replace('_', "").parse().ok()?;
    for (index, part) in parts.iter().enumerate() {
        sixtieth(part)?;
        let last = index + 1 == parts.len();
        let text = if last { format!("{part}.{}", fraction.replace('_', "")) } else { (*part).to_owned() };
        number = number * 60.0 + text.parse::<f64>().ok()?;
    }
    Some(number)
}

fn signed(text: &str) -> (i64, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

fn underscored(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

fn radix(text: &str, radix: u32) -> Option<i64> {
    let fits = text.bytes().all(|byte| byte == b'_' || char::from(byte).is_digit(radix));
    fits.then(|| i64::from_str_radix(&text.replace('_', ""), radix).ok()).flatten()
}

fn decimal(text: &str) -> Option<i64> {
    (starts_with_digit(text) && underscored(text)).then(|| text.replace('_', "").parse().ok()).flatten()
}

/// One or two digits below 60.
fn sixtieth(text: &str) -> Option<i64> {
    let fits = matches!(text.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    fits.then(|| text.parse().ok()).flatten()
}

//! Floating-point numbers as Python's `%e`, `%f` and `%g` write them.

/// A number that is not negative.
pub fn decimal(number: f64, kind: char, precision: Option<usize>, alternate: bool) -> String {
    let precision = precision.unwrap_or(6);
    let written = if !number.is_finite() {
        if number.is_nan() { "nan".into() } else { "inf".into() }
    } else {
        match kind.to_ascii_lowercase() {
            'e' => scientific(number, precision),
            'g' => general(number, precision.max(1), alternate),
            _ => format!("{number:.precision$}"),
        }
    };
    if kind.is_ascii_uppercase() { written.to_uppercase() } else { written }
}

fn scientific(number: f64, precision: usize) -> String {
    let short = format!("{number:.precision$e}");
    let (digits, exponent) = short.split_once('e').unwrap_or((&short, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn general(number: f64, precision: usize, alternate: bool) -> String {
    let long = scientific(number, precision - 1);
    let (digits, exponent) = long.split_once('e').unwrap_or((&long, "+00"));
    let size: i64 = exponent.parse().unwrap_or_default();
    let without_zeros = |text: &str| match alternate || !text.contains('.') {
        true => text.to_owned(),
        false => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
    };
    if (-4..precision as i64).contains(&size) {
        let places = (precision as i64 - 1 - size).max(0) as usize;
        return without_zeros(&format!("{number:.places$}"));
    }
    format!("{}e{exponent}", without_zeros(digits))
}

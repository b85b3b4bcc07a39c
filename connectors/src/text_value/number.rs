//! Truth values and numbers.

/// A truth value: `true`, `t`, `yes`, `1` and their opposites, in any case.
pub fn boolean(bytes: &[u8]) -> Option<bool> {
    let is = |word: &[u8]| bytes.eq_ignore_ascii_case(word);
    match bytes.len() {
        1 if is(b"t") || is(b"1") => Some(true),
        1 if is(b"f") || is(b"0") => Some(false),
        4 if is(b"true") => Some(true),
        5 if is(b"false") => Some(false),
        3 if is(b"yes") => Some(true),
        2 if is(b"no") => Some(false),
        _ => None,
    }
}

/// A signed integer in decimal digits.
#[inline]
pub fn signed(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = sign(bytes);
    // 18 digits always fit, so the common case has no overflow test inside the loop.
    if digits.is_empty() || digits.len() > 18 {
        return i64::try_from(huge(bytes)?).ok();
    }
    let mut value = 0i64;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// An unsigned integer in decimal digits.
pub fn unsigned(bytes: &[u8]) -> Option<u64> {
    u64::try_from(huge(bytes)?).ok()
}

/// A signed integer of up to 128 bits in decimal digits.
pub fn huge(bytes: &[u8]) -> Option<i128> {
    let (negative, digits) = sign(bytes);
    if digits.is_empty() {
        return None;
    }
    let mut value = 0i128;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        let digit = i128::from(digit);
        value = value.checked_mul(10)?.checked_add(if negative { -digit } else { digit })?;
    }
    Some(value)
}

/// A floating-point number, the nearest double; `inf`, `infinity` and `nan` in any case.
#[inline]
pub fn float(bytes: &[u8]) -> Option<f64> {
    match lexical_core::parse::<f64>(bytes) {
        Ok(value) => Some(value),
        // Spellings that the fast parser leaves out: a sign before a word, no digits on one side of the point.
        Err(_) => std::str::from_utf8(bytes).ok()?.parse().ok(),
    }
}

/// A fixed-point number with `scale` digits behind the point, as an integer without one; further digits round
/// half away from zero. `None` also if more than `precision` digits are needed.
pub fn decimal(bytes: &[u8], precision: u8, scale: i8) -> Option<i128> {
    let (negative, rest) = sign(bytes);
    let (mantissa, exponent) = match rest.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&rest[..at], signed(&rest[at + 1..])?),
        None => (rest, 0),
    };
    let (whole, fraction) = match mantissa.iter().position(|&byte| byte == b'.') {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &[][..]),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // Position of the point after all wanted digits, counted from the first digit.
    let kept = i64::try_from(whole.len()).ok()?.checked_add(exponent)?.checked_add(i64::from(scale))?;
    let mut value = 0i128;
    let mut round_up = false;
    for (index, &byte) in whole.iter().chain(fraction).enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        let index = index as i64;
        if index < kept {
            value = value.checked_mul(10)?.checked_add(i128::from(digit))?;
        } else if index == kept {
            round_up = digit >= 5;
        }
    }
    let digits = (whole.len() + fraction.len()) as i64;
    if value != 0 {
        for _ in digits..kept {
            value = value.checked_mul(10)?;
        }
    }
    value += i128::from(round_up);
    let limit = 10i128.checked_pow(u32::from(precision));
    if limit.is_some_and(|limit| value >= limit) {
        return None;
    }
    Some(if negative { -value } else { value })
}

fn sign(bytes: &[u8]) -> (bool, &[u8]) {
    match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_at_their_limits() {
        assert_eq!(signed(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(signed(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(signed(b"9223372036854775808"), None);
        assert_eq!(signed(b"-"), None);
        assert_eq!(signed(b""), None);
        assert_eq!(signed(b"1 "), None);
        assert_eq!(unsigned(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(unsigned(b"-1"), None);
        assert_eq!(huge(b"-170141183460469231731687303715884105728"), Some(i128::MIN));
    }

    #[test]
    fn floats_in_all_spellings() {
        assert_eq!(float(b"1."), Some(1.0));
        assert_eq!(float(b".5"), Some(0.5));
        assert_eq!(float(b"-1.5e-3"), Some(-0.0015));
        assert_eq!(float(b"+2"), Some(2.0));
        assert_eq!(float(b"-Infinity"), Some(f64::NEG_INFINITY));
        assert!(float(b"NaN").is_some_and(f64::is_nan));
        assert_eq!(float(b"1.0f"), None);
        assert_eq!(float(b""), None);
    }

    #[test]
    fn decimals_round_half_away_from_zero() {
        assert_eq!(decimal(b"1.005", 18, 2), Some(101));
        assert_eq!(decimal(b"-1.005", 18, 2), Some(-101));
        assert_eq!(decimal(b"1.2e3", 18, 2), Some(120_000));
        assert_eq!(decimal(b"12e-1", 18, 2), Some(120));
        assert_eq!(decimal(b"9.995", 3, 2), None);
        assert_eq!(decimal(b"7", 3, 2), Some(700));
        assert_eq!(decimal(b".", 3, 2), None);
    }
}

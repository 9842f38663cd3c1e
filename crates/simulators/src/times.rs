//! Text forms of durations (`90s`, `1h30m`) and instants (RFC 3339, printed with milliseconds and `Z`).
//!
//! Instants are printed by hand because a simulator prints several per record.

use chrono::DateTime;

/// Milliseconds in a day.
pub(crate) const DAY_MS: i64 = 86_400_000;
/// Milliseconds in an hour.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// Reads `500ms`, `2s`, `5m`, `3h`, `1d` or a chain of them (`1h30m`) as milliseconds.
pub(crate) fn parse_duration_ms(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut total = 0_i64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let amount: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit_length = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let factor = match &rest[..unit_length] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => HOUR_MS,
            "d" => DAY_MS,
            _ => return None,
        };
        total = total.checked_add(amount.checked_mul(factor)?)?;
        rest = &rest[unit_length..];
    }
    Some(total)
}

/// Reads an RFC 3339 instant as epoch milliseconds.
pub(crate) fn parse_instant_ms(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|instant| instant.timestamp_millis())
}

/// Prints epoch milliseconds as `yyyy-mm-ddThh:mm:ss.mmmZ`.
pub(crate) fn format_instant(epoch_ms: i64) -> String {
    let mut out = String::with_capacity(24);
    push_instant(&mut out, epoch_ms);
    out
}

/// Appends epoch milliseconds as `yyyy-mm-ddThh:mm:ss.mmmZ`.
pub(crate) fn push_instant(out: &mut String, epoch_ms: i64) {
    let (year, month, day) = civil_date(epoch_ms.div_euclid(DAY_MS));
    let in_day = epoch_ms.rem_euclid(DAY_MS);
    push_padded(out, year, 4);
    out.push('-');
    push_padded(out, month, 2);
    out.push('-');
    push_padded(out, day, 2);
    out.push('T');
    push_padded(out, in_day / HOUR_MS, 2);
    out.push(':');
    push_padded(out, in_day / 60_000 % 60, 2);
    out.push(':');
    push_padded(out, in_day / 1_000 % 60, 2);
    out.push('.');
    push_padded(out, in_day % 1_000, 3);
    out.push('Z');
}

/// Appends `value` in decimal, with leading zeros up to `width` digits.
pub(crate) fn push_padded(out: &mut String, value: i64, width: u32) {
    let mut divisor = 10_i64.pow(width.saturating_sub(1));
    while value / divisor >= 10 {
        divisor *= 10;
    }
    while divisor > 0 {
        let digit = u8::try_from(value / divisor % 10).unwrap_or(0);
        out.push(char::from(b'0' + digit));
        divisor /= 10;
    }
}

/// Year, month and day of a day number counted from 1970-01-01 (proleptic Gregorian, 400-year eras from March).
fn civil_date(day_number: i64) -> (i64, i64, i64) {
    let shifted = day_number + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_read_single_and_chained_units() {
        assert_eq!(parse_duration_ms("500ms"), Some(500));
        assert_eq!(parse_duration_ms("1h30m"), Some(5_400_000));
        for bad in ["", "5", "s", "5x", "-5s", "1.5h", "5 s"] {
            assert_eq!(parse_duration_ms(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn printed_instants_agree_with_chrono(epoch_ms in 0_i64..4_102_444_800_000) {
            let printed = format_instant(epoch_ms);
            prop_assert_eq!(parse_instant_ms(&printed), Some(epoch_ms));
            prop_assert_eq!(printed.len(), 24);
        }
    }
}

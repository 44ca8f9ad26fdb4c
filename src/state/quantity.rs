//! `resource.Quantity` as text, read into the two units rows keep.
//!
//! Kubernetes: the grammar is that of `k8s.io/apimachinery/pkg/api/resource` (v0.37): a decimal number with a decimal
//! (`n u m k M G T P E`), binary (`Ki` .. `Ei`) or exponent suffix. Fractions of the unit are rounded up, as
//! `Quantity.MilliValue` and `Quantity.Value` do.

/// Thousandths: `"250m"` is 250, `"2"` is 2000. `None` for text that is no quantity.
pub fn milli(text: &str) -> Option<i64> {
    scaled(text, 3)
}

/// Billionths: `"1234567n"` is 1,234,567. What a metrics API says of CPU.
pub fn nano(text: &str) -> Option<i64> {
    scaled(text, 9)
}

/// Whole units: bytes for memory. `"1Gi"` is 1,073,741,824.
pub fn whole(text: &str) -> Option<i64> {
    scaled(text, 0)
}

fn scaled(text: &str, decimals: i32) -> Option<i64> {
    let text = text.trim();
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (ten, two) = suffix_powers(suffix)?;
    let negative = number.starts_with('-');
    let digits = number.trim_start_matches(['+', '-']);
    let (int, frac) = digits.split_once('.').unwrap_or((digits, ""));
    if int.is_empty() && frac.is_empty()
        || frac.contains(['.', '+', '-'])
        || int.contains(['+', '-'])
    {
        return None;
    }
    // More than nine decimals say nothing that a cluster could mean.
    let frac = &frac[..frac.len().min(9)];
    let mantissa: i128 = format!("{int}{frac}").parse().ok()?;
    let exponent = ten + decimals - frac.len() as i32;
    let mut value = mantissa.checked_mul(1i128 << two)?;
    if exponent >= 0 {
        value = value.checked_mul(10i128.checked_pow(exponent as u32)?)?;
    } else {
        let div = 10i128.checked_pow(exponent.unsigned_abs())?;
        value = (value + div - 1) / div;
    }
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    Some(if negative { -value } else { value })
}

/// Powers of ten and of two that a suffix stands for.
fn suffix_powers(suffix: &str) -> Option<(i32, u32)> {
    Some(match suffix {
        "" => (0, 0),
        "n" => (-9, 0),
        "u" => (-6, 0),
        "m" => (-3, 0),
        "k" => (3, 0),
        "M" => (6, 0),
        "G" => (9, 0),
        "T" => (12, 0),
        "P" => (15, 0),
        "E" => (18, 0),
        "Ki" => (0, 10),
        "Mi" => (0, 20),
        "Gi" => (0, 30),
        "Ti" => (0, 40),
        "Pi" => (0, 50),
        "Ei" => (0, 60),
        _ => (suffix.strip_prefix(['e', 'E'])?.parse().ok().filter(|e: &i32| e.abs() <= 18)?, 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_as_kubernetes_reads_them() {
        for (text, m, w) in [
            ("250m", 250, 1),
            ("1.5", 1500, 2),
            ("2", 2000, 2),
            ("100u", 1, 1),
            ("1Gi", 1_073_741_824_000, 1_073_741_824),
            ("1.5Gi", 1_610_612_736_000, 1_610_612_736),
            ("128974848", 128_974_848_000, 128_974_848),
            ("129e6", 129_000_000_000, 129_000_000),
            ("129M", 129_000_000_000, 129_000_000),
            ("-1", -1000, -1),
        ] {
            assert_eq!(milli(text), Some(m), "{text} in thousandths");
            assert_eq!(whole(text), Some(w), "{text} in units");
        }
    }

    #[test]
    fn what_is_no_quantity_is_none() {
        for text in ["", "m", "1.2.3", "1-2", "lots", "1Gib", "1e99"] {
            assert_eq!(milli(text), None, "{text:?}");
        }
    }
}

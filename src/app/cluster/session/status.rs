//! The API server's `Status`, from either encoding. Feeds ask for protobuf, and then get errors in
//! protobuf too.

use kube::core::Status;
use kube::core::response::{StatusCause, StatusDetails};

/// The four bytes before every Kubernetes protobuf message (apimachinery
/// `runtime/serializer/protobuf`).
const MAGIC: &[u8] = b"k8s\0";

/// Reads a `Status` object from a response body, whatever its content type claims; `None` if it
/// holds none.
pub(super) fn parse(body: &[u8]) -> Option<Status> {
    match body.strip_prefix(MAGIC) {
        Some(unknown) => of_protobuf(unknown),
        None => {
            let value: serde_json::Value = serde_json::from_slice(body).ok()?;
            (value.get("kind")? == "Status").then(|| serde_json::from_value(value).ok()).flatten()
        }
    }
}

/// `runtime.Unknown { 1: TypeMeta { 2: kind }, 2: raw }` around `metav1.Status` (field numbers:
/// apimachinery `pkg/apis/meta/v1/generated.proto` and `pkg/runtime/generated.proto`).
fn of_protobuf(unknown: &[u8]) -> Option<Status> {
    let kind = field(field(unknown, 1)?, 2)?;
    if kind != b"Status" {
        return None;
    }
    let raw = field(unknown, 2)?;
    let text = |message: &[u8], number| {
        field(message, number)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .unwrap_or_default()
    };
    let details = field(raw, 5).map(|details| StatusDetails {
        name: text(details, 1),
        group: text(details, 2),
        kind: text(details, 3),
        uid: text(details, 6),
        causes: fields(details)
            .filter(|(number, _)| *number == 4)
            .map(|(_, cause)| StatusCause {
                reason: text(cause.bytes(), 1),
                message: text(cause.bytes(), 2),
                field: text(cause.bytes(), 3),
            })
            .collect(),
        retry_after_seconds: number(details, 5).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
    });
    Some(Status {
        message: text(raw, 3),
        reason: text(raw, 4),
        code: number(raw, 6).and_then(|n| u16::try_from(n).ok()).unwrap_or(0),
        details,
        ..Status::default()
    })
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    fn bytes(&self) -> &'a [u8] {
        match self {
            Value::Number(_) => &[],
            Value::Bytes(bytes) => bytes,
        }
    }
}

fn field(message: &[u8], wanted: u64) -> Option<&[u8]> {
    fields(message).find(|(number, _)| *number == wanted).map(|(_, value)| value.bytes())
}

fn number(message: &[u8], wanted: u64) -> Option<u64> {
    fields(message).find_map(|(number, value)| match value {
        Value::Number(value) if number == wanted => Some(value),
        _ => None,
    })
}

/// The fields of a message in order; ends early at anything malformed.
fn fields(mut rest: &[u8]) -> impl Iterator<Item = (u64, Value<'_>)> {
    std::iter::from_fn(move || {
        let tag = varint(&mut rest)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut rest)?),
            1 => Value::Bytes(rest.split_off(..8)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                Value::Bytes(rest.split_off(..length)?)
            }
            5 => Value::Bytes(rest.split_off(..4)?),
            _ => return None,
        };
        Some((tag >> 3, value))
    })
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *rest.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(number: u8, value: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, u8::try_from(value.len()).unwrap()];
        out.extend(value);
        out
    }

    #[test]
    fn both_encodings_say_the_same() {
        let cause = [bytes(1, b"DisruptionBudget"), bytes(2, b"needs 2")].concat();
        let details =
            [bytes(1, b"web"), bytes(3, b"pods"), bytes(4, &cause), vec![5 << 3, 10]].concat();
        let code = vec![6 << 3, 0xad, 0x03];
        let raw =
            [bytes(3, b"no"), bytes(4, b"TooManyRequests"), bytes(5, &details), code].concat();
        let meta = [bytes(1, b"v1"), bytes(2, b"Status")].concat();
        let body = [MAGIC.to_vec(), bytes(1, &meta), bytes(2, &raw)].concat();
        let json = br#"{"kind":"Status","apiVersion":"v1","message":"no","reason":"TooManyRequests","code":429,
            "details":{"name":"web","kind":"pods","retryAfterSeconds":10,
            "causes":[{"reason":"DisruptionBudget","message":"needs 2"}]}}"#;
        let (a, b) = (parse(&body).unwrap(), parse(json).unwrap());
        assert_eq!(a.code, 429);
        assert_eq!((a.code, &a.reason, &a.message), (b.code, &b.reason, &b.message));
        assert_eq!(a.details, b.details);
        assert_eq!(a.details.unwrap().causes[0].message, "needs 2");
        for cut in 0..body.len() {
            let _must_not_panic = parse(&body[..cut]);
        }
    }

    #[test]
    fn other_things_are_not_a_status() {
        for body in [&b""[..], b"<html>", b"{\"kind\":\"Pod\"}", b"{}", b"k8s\0\xff\xff", b"null"] {
            assert!(parse(body).is_none(), "{body:?}");
        }
    }
}

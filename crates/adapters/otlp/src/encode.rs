//! Spans as an `ExportTraceServiceRequest` of opentelemetry-proto 1, in protobuf.
//!
//! The numbers are those of its files `trace.proto`, `resource.proto` and `common.proto`; a number that
//! is released there never changes.

use outrigger_kernel::span::{Span, SpanKind, Value};

/// Who tells: attributes of the process, such as `service.name`.
pub type Resource = Vec<(&'static str, String)>;

/// The name of the instrumentation, with its version.
const SCOPE: (&str, &str) = ("outrigger", env!("CARGO_PKG_VERSION"));
/// `STATUS_CODE_ERROR`
const ERROR: u64 = 2;

/// A message, or a part of one.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        loop {
            let [low, ..] = number.to_le_bytes();
            number >>= 7;
            if number == 0 {
                return self.0.push(low);
            }
            self.0.push(low | 0x80);
        }
    }

    fn number(&mut self, field: u64, number: u64) {
        self.varint(field << 3);
        self.varint(number);
    }

    fn fixed(&mut self, field: u64, number: u64) {
        self.varint(field << 3 | 1);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn message(&mut self, field: u64, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }

    fn attribute(&mut self, field: u64, key: &str, value: &Value) {
        self.message(field, |pair| {
            pair.bytes(1, key.as_bytes());
            pair.message(2, |any| match value {
                Value::Text(text) => any.bytes(1, text.as_bytes()),
                Value::Number(number) => any.number(3, number.cast_unsigned()),
            });
        });
    }
}

/// These spans of this process; without any it is what an empty hand says.
pub(crate) fn request(resource: &Resource, spans: &[Span]) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |of_resource| {
        of_resource.message(1, |about| {
            for (key, value) in resource {
                about.attribute(1, key, &Value::Text(value.clone().into()));
            }
        });
        of_resource.message(2, |of_scope| {
            of_scope.message(1, |scope| {
                scope.bytes(1, SCOPE.0.as_bytes());
                scope.bytes(2, SCOPE.1.as_bytes());
            });
            for span in spans {
                of_scope.message(2, |message| write(message, span));
            }
        });
    });
    request.0
}

fn write(message: &mut Message, span: &Span) {
    message.bytes(1, &span.trace_id);
    message.bytes(2, &span.id);
    if let Some(parent) = &span.parent {
        message.bytes(4, parent);
    }
    message.bytes(5, span.name.as_bytes());
    let kind = match span.kind {
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Consumer => 5,
    };
    message.number(6, kind);
    message.fixed(7, span.start_ns);
    message.fixed(8, span.end_ns);
    for (key, value) in &span.attributes {
        message.attribute(9, key, value);
    }
    if let Some(cause) = &span.caused_by {
        message.message(13, |link| {
            link.bytes(1, &span.trace_id);
            link.bytes(2, cause);
        });
    }
    if let Some(error) = &span.error {
        message.attribute(9, "error.type", &Value::Text(error.clone()));
        message.message(15, |status| {
            status.bytes(2, error.as_bytes());
            status.number(3, ERROR);
        });
    }
}

/// How many spans an `ExportTraceServiceResponse` says were not taken: `partial_success`, of it
/// `rejected_spans`. What cannot be read says nothing.
pub(crate) fn rejected(response: &[u8]) -> u64 {
    let Some(partial) = field(response, 1) else { return 0 };
    match partial {
        Field::Bytes(partial) => match field(partial, 1) {
            Some(Field::Number(rejected)) => rejected,
            _ => 0,
        },
        Field::Number(_) => 0,
    }
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The first field of this number, among numbers and texts.
fn field(mut message: &[u8], wanted: u64) -> Option<Field<'_>> {
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        let found = match tag & 7 {
            0 => Field::Number(varint(&mut message)?),
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                let (bytes, rest) = message.split_at_checked(length)?;
                message = rest;
                Field::Bytes(bytes)
            }
            _ => return None,
        };
        if tag >> 3 == wanted {
            return Some(found);
        }
    }
    None
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for place in 0..10 {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 0x7f) << (7 * place).min(63);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_spans_are_read_and_nonsense_says_nothing() {
        let response = b"\x0a\x08\x08\xac\x02\x12\x03why";
        assert_eq!(rejected(response), 300);
        for nonsense in [&b""[..], b"{}", b"\x0a\xff", b"\x0a\x02\x12\x00", &[0xff; 20]] {
            assert_eq!(rejected(nonsense), 0, "{nonsense:?}");
        }
    }

    #[test]
    fn a_span_is_written_as_trace_proto_says() {
        let span = Span {
            trace_id: [1; 16],
            id: [2; 8],
            parent: Some([3; 8]),
            caused_by: Some([3; 8]),
            name: "a".into(),
            kind: SpanKind::Consumer,
            start_ns: 1,
            end_ns: 2,
            attributes: vec![("k", 200.into())],
            error: Some("e".into()),
        };
        let mut message = Message::default();
        write(&mut message, &span);
        let expected = [
            &[0x0a, 16][..],
            &[1; 16],
            &[0x12, 8],
            &[2; 8],
            &[0x22, 8],
            &[3; 8],
            &[0x2a, 1, b'a', 0x30, 5],
            &[0x39, 1, 0, 0, 0, 0, 0, 0, 0],
            &[0x41, 2, 0, 0, 0, 0, 0, 0, 0],
            &[0x4a, 8, 0x0a, 1, b'k', 0x12, 3, 0x18, 0xc8, 1],
            &[0x6a, 28, 0x0a, 16],
            &[1; 16],
            &[0x12, 8],
            &[3; 8],
            b"\x4a\x11\x0a\x0aerror.type\x12\x03\x0a\x01e",
            &[0x7a, 5, 0x12, 1, b'e', 0x18, 2],
        ]
        .concat();
        assert_eq!(message.0, expected);
    }
}

//! Reads an `ExportTraceServiceRequest` of opentelemetry-proto 1.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result, bail};

use super::SentSpan;

/// A field's number and value.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The spans of a request.
pub(super) fn spans(request: &[u8]) -> Result<Vec<SentSpan>> {
    let mut spans = Vec::new();
    for of_resource in parts(request, 1)? {
        let mut resource = BTreeMap::new();
        for about in parts(of_resource, 1)? {
            resource.extend(attributes(about, 1)?);
        }
        for of_scope in parts(of_resource, 2)? {
            for span in parts(of_scope, 2)? {
                spans.push(SentSpan { resource: resource.clone(), ..read(span)? });
            }
        }
    }
    Ok(spans)
}

fn read(message: &[u8]) -> Result<SentSpan> {
    let mut span = SentSpan { attributes: attributes(message, 9)?, ..SentSpan::default() };
    for (field, value) in fields(message)? {
        match (field, value) {
            (1, Value::Bytes(id)) => span.trace_id = hex(id),
            (2, Value::Bytes(id)) => span.id = hex(id),
            (4, Value::Bytes(id)) => span.parent = hex(id),
            (5, Value::Bytes(name)) => span.name = text(name)?,
            (6, Value::Number(kind)) => span.kind = kind,
            (7, Value::Number(at)) => span.start_ns = at,
            (8, Value::Number(at)) => span.end_ns = at,
            (13, Value::Bytes(link)) => {
                let id = |field| anyhow::Ok(parts(link, field)?.first().map(|id| hex(id)));
                span.links.push((id(1)?.unwrap_or_default(), id(2)?.unwrap_or_default()));
            }
            (15, Value::Bytes(status)) => {
                let of_status = fields(status)?;
                let is_error = of_status.iter().any(|it| matches!(it, (3, Value::Number(2))));
                let message = parts(status, 2)?.first().copied().unwrap_or_default();
                span.error = is_error.then(|| text(message)).transpose()?;
            }
            _ => {}
        }
    }
    Ok(span)
}

/// The `KeyValue`s in this field.
fn attributes(message: &[u8], field: u64) -> Result<BTreeMap<String, String>> {
    let mut attributes = BTreeMap::new();
    for pair in parts(message, field)? {
        let key = parts(pair, 1)?.first().map_or(Ok(String::new()), |key| text(key))?;
        for any in parts(pair, 2)? {
            for (_, value) in fields(any)? {
                let value = match value {
                    Value::Bytes(bytes) => text(bytes)?,
                    Value::Number(number) => number.to_string(),
                };
                attributes.insert(key.clone(), value);
            }
        }
    }
    Ok(attributes)
}

/// The texts and messages in this field.
fn parts(message: &[u8], wanted: u64) -> Result<Vec<&[u8]>> {
    let of_field = |(field, value)| match value {
        Value::Bytes(bytes) if field == wanted => Some(bytes),
        _ => None,
    };
    Ok(fields(message)?.into_iter().filter_map(of_field).collect())
}

fn fields(mut message: &[u8]) -> Result<Vec<(u64, Value<'_>)>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut message)?),
            1 => {
                let bytes: [u8; 8] = take(&mut message, 8)?.try_into()?;
                Value::Number(u64::from_le_bytes(bytes))
            }
            2 => {
                let length = usize::try_from(varint(&mut message)?)?;
                Value::Bytes(take(&mut message, length)?)
            }
            5 => Value::Number(u32::from_le_bytes(take(&mut message, 4)?.try_into()?).into()),
            other => bail!("there is no wire type {other}"),
        };
        fields.push((tag >> 3, value));
    }
    Ok(fields)
}

fn take<'a>(message: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (bytes, rest) = message.split_at_checked(length).context("it ends too early")?;
    *message = rest;
    Ok(bytes)
}

fn varint(message: &mut &[u8]) -> Result<u64> {
    let mut number = 0;
    for place in 0..10 {
        let byte = take(message, 1)?[0];
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    bail!("a number does not end")
}

fn text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).context("a text is not UTF-8")
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

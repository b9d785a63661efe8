//! The entries of a document as one blob beside it, to find them again when it changes.

use outrigger_ports::store::Entry;

/// Packs entries in the order of their names, so that equal sets are equal blobs.
pub(super) fn pack(entries: &[Entry]) -> Vec<u8> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_unstable_by(|a, b| a.index.cmp(&b.index));
    let bytes = sorted.iter().map(|entry| entry.index.len() + entry.value.len() + 5).sum();
    let mut out = Vec::with_capacity(bytes);
    for entry in sorted {
        out.push(u8::from(entry.unique));
        for part in [entry.index.as_bytes(), &entry.value] {
            // Both are far below 65,536 bytes (limits of the port).
            let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&part[..usize::from(length)]);
        }
    }
    out
}

/// What [`pack`] packed; `None` when the blob is damaged.
pub(super) fn unpack(mut blob: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    while let Some((unique, rest)) = blob.split_first() {
        blob = rest;
        let index = String::from_utf8(part(&mut blob)?.to_vec()).ok()?;
        let value = part(&mut blob)?.to_vec();
        entries.push(Entry { index, value, unique: *unique == 1 });
    }
    Some(entries)
}

fn part<'a>(blob: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = blob.split_at_checked(2)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    let (part, rest) = rest.split_at_checked(length)?;
    *blob = rest;
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_and_unpacks_in_the_order_of_names() {
        let entry = |index: &str, value: &[u8], unique| Entry {
            index: index.to_owned(),
            value: value.to_vec(),
            unique,
        };
        let (b, a) = (entry("b", &[0, 255], true), entry("a", b"", false));
        let blob = pack(&[b.clone(), a.clone()]);
        assert_eq!(blob, pack(&[a.clone(), b.clone()]));
        assert_eq!(unpack(&blob), Some(vec![a, b]));
        assert_eq!(unpack(&blob[..blob.len() - 1]), None);
        assert_eq!(unpack(&[]), Some(Vec::new()));
    }
}

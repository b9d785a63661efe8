//! The checksum of a secret: CRC-32 with Castagnoli's polynomial (RFC 3720, B.4).

/// The polynomial, its lowest bit first.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// Of all these bytes.
pub(super) fn of(bytes: &[u8]) -> u32 {
    let bit = |sum: u32| (sum >> 1) ^ (POLYNOMIAL & (sum & 1).wrapping_neg());
    let byte = |sum: u32, byte: &u8| (0..8).fold(sum ^ u32::from(*byte), |sum, _| bit(sum));
    !bytes.iter().fold(u32::MAX, byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those of RFC 3720, and the check value of the algorithm.
    #[test]
    fn published_sums() {
        assert_eq!(of(b""), 0);
        assert_eq!(of(b"123456789"), 0xe306_9283);
        assert_eq!(of(&[0; 32]), 0x8a91_36aa);
        assert_eq!(of(&[0xff; 32]), 0x62a8_ab43);
    }
}

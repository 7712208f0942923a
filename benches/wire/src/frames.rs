//! WebSocket frames of text: written, and found in what was read. Masks are zeros.

use std::io;

/// A text frame from a server.
pub fn frame(text: &str) -> io::Result<Vec<u8>> {
    with_head(text, 0, &[])
}

/// A text frame from a client.
pub fn masked_frame(text: &str) -> io::Result<Vec<u8>> {
    with_head(text, 0x80, &[0; 4])
}

fn with_head(text: &str, mask_bit: u8, mask: &[u8]) -> io::Result<Vec<u8>> {
    let mut frame = Vec::with_capacity(text.len() + 8);
    frame.push(0x81);
    match u8::try_from(text.len()) {
        Ok(length) if length < 126 => frame.push(mask_bit | length),
        _ => {
            let length = u16::try_from(text.len()).map_err(io::Error::other)?;
            frame.push(mask_bit | 0x7e);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(text.as_bytes());
    Ok(frame)
}

/// Takes one whole frame of a client out of what was read.
pub(crate) fn take_masked(read: &mut Vec<u8>) -> Option<String> {
    let (start, length) = match read[..] {
        [_, 254, high, low, ..] => (8, usize::from(u16::from_be_bytes([high, low]))),
        [_, length, ..] if length < 254 => (6, usize::from(length & 0x7f)),
        _ => return None,
    };
    let payload = read.get(start..start + length)?;
    let text = String::from_utf8_lossy(payload).into_owned();
    read.drain(..start + length);
    Some(text)
}

/// Looks at the payload of every whole frame of a server, and returns what is left.
pub(crate) fn whole_frames<'b>(mut bytes: &'b [u8], each: &mut impl FnMut(&[u8])) -> &'b [u8] {
    loop {
        let (start, length): (usize, usize) = match bytes {
            [_, 127, rest @ ..] => {
                let Some(length) = rest.first_chunk() else {
                    return bytes;
                };
                let length = u64::from_be_bytes(*length);
                (10, usize::try_from(length).unwrap_or(usize::MAX))
            }
            [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
            [_, length, ..] if *length < 126 => (2, usize::from(*length)),
            _ => return bytes,
        };
        let Some(payload) = bytes.get(start..length.saturating_add(start)) else {
            return bytes;
        };
        each(payload);
        bytes = &bytes[start + length..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_frames_are_looked_at_and_the_rest_is_kept() {
        let mut bytes = frame("ab").expect("it is short");
        bytes.extend(frame(&"x".repeat(256)).expect("it is short"));
        bytes.extend(b"\x81\x05abc");
        let mut seen = Vec::new();
        let rest = whole_frames(&bytes, &mut |payload| seen.push(payload.to_vec()));
        assert_eq!(rest, b"\x81\x05abc");
        assert_eq!(seen, [b"ab".to_vec(), vec![b'x'; 256]]);
    }

    #[test]
    fn a_client_is_read_frame_by_frame() {
        let long = "x".repeat(256);
        let mut read = masked_frame("ab").expect("it is short");
        read.extend(masked_frame(&long).expect("it is short"));
        read.extend(b"\x81\x85\0\0\0\0abc");
        assert_eq!(take_masked(&mut read).as_deref(), Some("ab"));
        assert_eq!(take_masked(&mut read), Some(long));
        assert_eq!(take_masked(&mut read), None);
        assert_eq!(read, b"\x81\x85\0\0\0\0abc");
    }
}

//! Bytes to text, as Python decodes its source: PEP 263, exactly or not at all.
//!
//! A wrongly guessed byte would move every column and could change a string, so nothing is replaced: a file that
//! cannot be decoded is named with the place of the first byte that does not fit.

use std::path::Path;

use encoding_rs::{DecoderResult, Encoding};
use ruff_notebook::{Notebook, NotebookError};

use crate::source::{Cell, SourceFile, SourceKind};

/// Why bytes are no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Lower case, without a full stop.
    pub message: String,
    /// Row and byte in that row, both from 1, where one place is to blame.
    pub place: Option<(u32, u32)>,
}

impl DecodeError {
    fn new(message: impl Into<String>) -> DecodeError {
        DecodeError { message: message.into(), place: None }
    }

    fn at(message: impl Into<String>, bytes: &[u8], offset: usize) -> DecodeError {
        let before = &bytes[..offset.min(bytes.len())];
        let ends = before.iter().enumerate().filter(|(index, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(index + 1) != Some(&b'\n'),
            _ => false,
        });
        let (row, start) = ends.fold((1, 0), |(row, _), (index, _)| (row + 1, index + 1));
        DecodeError { message: message.into(), place: Some((row, (offset - start) as u32 + 1)) }
    }
}

/// A file of its bytes. `path` is how it is shown.
pub fn read(path: &Path, bytes: Vec<u8>, kind: SourceKind) -> Result<SourceFile, DecodeError> {
    match kind {
        SourceKind::Python | SourceKind::Stub => Ok(SourceFile::new(path, decode(bytes)?, kind)),
        SourceKind::Notebook => read_notebook(path, bytes),
    }
}

/// The code cells of a notebook; none where its language is not Python.
fn read_notebook(path: &Path, bytes: Vec<u8>) -> Result<SourceFile, DecodeError> {
    let json = utf8(bytes)?;
    let mut file = SourceFile::new(path, "", SourceKind::Notebook);
    if json.trim().is_empty() {
        return Ok(file);
    }
    let notebook = Notebook::from_source_code(&json).map_err(notebook_error)?;
    if !notebook.is_python_notebook() {
        return Ok(file);
    }
    file.text = notebook.source_code().to_owned();
    let starts = notebook.cell_offsets().ranges().map(|range| range.start().to_u32());
    let numbers = notebook.index().iter().map(|cell| cell.cell_index().get() as u32);
    file.cells = starts.zip(numbers).map(|(start, number)| Cell { number, start }).collect();
    Ok(file)
}

fn notebook_error(error: NotebookError) -> DecodeError {
    match error {
        NotebookError::InvalidJson(error) => {
            let place = Some((error.line() as u32, error.column() as u32));
            DecodeError { message: format!("not a notebook, because it is not valid JSON: {error}"), place }
        }
        NotebookError::InvalidSchema(error) => DecodeError::new(format!("not a notebook: {error}")),
        NotebookError::InvalidFormat(format) => {
            DecodeError::new(format!("a notebook of format {format}; only format 4 can be read"))
        }
        NotebookError::Io(error) => DecodeError::new(error.to_string()),
        NotebookError::Json(error) => DecodeError::new(error.to_string()),
    }
}

/// The text of a Python file, without its byte order mark.
pub fn decode(bytes: Vec<u8>) -> Result<String, DecodeError> {
    let has_mark = bytes.starts_with(UTF8_MARK);
    let Some(cookie) = cookie(&bytes[if has_mark { UTF8_MARK.len() } else { 0 }..]) else {
        return utf8(bytes);
    };
    let codec = Codec::of(&cookie);
    if has_mark && !matches!(codec, Some(Codec::Utf8)) {
        let message = format!("the byte order mark says UTF-8, the encoding line says `{cookie}`");
        return Err(DecodeError::new(message));
    }
    match codec {
        Some(Codec::Utf8) => utf8(bytes),
        Some(Codec::Latin1) => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        Some(Codec::Ascii) => match bytes.iter().position(|byte| !byte.is_ascii()) {
            None => utf8(bytes),
            Some(offset) => Err(undecodable("ASCII", &bytes, offset)),
        },
        Some(Codec::Other(encoding)) => decode_with(encoding, &cookie, bytes),
        None => Err(DecodeError::new(format!("unknown encoding `{cookie}`"))),
    }
}

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

fn utf8(mut bytes: Vec<u8>) -> Result<String, DecodeError> {
    if bytes.starts_with(UTF8_MARK) {
        bytes.drain(..UTF8_MARK.len());
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let bytes = error.into_bytes();
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return DecodeError::new("UTF-16, which Python does not read; save it as UTF-8");
        }
        undecodable("UTF-8", &bytes, offset)
    })
}

fn undecodable(encoding: &str, bytes: &[u8], offset: usize) -> DecodeError {
    let byte = bytes.get(offset).copied().unwrap_or_default();
    DecodeError::at(format!("byte 0x{byte:02x} is not valid {encoding}"), bytes, offset)
}

fn decode_with(encoding: &'static Encoding, cookie: &str, bytes: Vec<u8>) -> Result<String, DecodeError> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let capacity = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len() * 3);
    let mut text = String::with_capacity(capacity);
    let (result, read) = decoder.decode_to_string_without_replacement(&bytes, &mut text, true);
    if let DecoderResult::Malformed(length, after) = result {
        let offset = read.saturating_sub(usize::from(length) + usize::from(after));
        return Err(undecodable(&format!("`{cookie}`"), &bytes, offset));
    }
    // The web gives a control character to bytes that Python's codecs of Windows leave undefined.
    let is_windows = encoding.name().starts_with("windows-");
    if is_windows && let Some(control) = text.chars().position(|c| ('\u{80}'..='\u{9f}').contains(&c)) {
        return Err(undecodable(&format!("`{cookie}`"), &bytes, control));
    }
    text.shrink_to_fit();
    Ok(text)
}

enum Codec {
    Utf8,
    /// Every byte is the character of its number, which the web's `iso-8859-1` is not.
    Latin1,
    Ascii,
    Other(&'static Encoding),
}

impl Codec {
    /// By Python's names and aliases, which differ from the web's labels.
    fn of(cookie: &str) -> Option<Codec> {
        let name = cookie.to_ascii_lowercase().replace(['_', ' '], "-");
        let is_one_of = |names: &[&str]| names.iter().any(|known| name == *known);
        if is_one_of(&["utf-8", "utf8", "u8", "utf", "utf8-ucs2", "utf8-ucs4", "cp65001"]) || name.starts_with("utf-8-")
        {
            return Some(Codec::Utf8);
        }
        let latin1_names = ["latin-1", "iso-8859-1", "iso-latin-1"];
        let latin1_aliases = ["latin1", "latin", "l1", "iso8859-1", "iso8859", "8859", "cp819", "ibm819", "iso-ir-100"];
        let has_prefix = |known: &&str| name.strip_prefix(*known).is_some_and(|rest| rest.starts_with('-'));
        if is_one_of(&latin1_names) || latin1_names.iter().any(has_prefix) || is_one_of(&latin1_aliases) {
            return Some(Codec::Latin1);
        }
        if is_one_of(&["ascii", "us-ascii", "us", "646", "cp367", "ibm367", "iso646-us", "iso-ir-6"]) {
            return Some(Codec::Ascii);
        }
        let label = match name.as_str() {
            "cp932" | "932" | "ms932" | "mskanji" | "ms-kanji" | "shiftjis" | "sjis" | "s-jis" => {
                "shift_jis".to_owned()
            }
            "cp936" | "936" | "ms936" => "gbk".to_owned(),
            "cp949" | "949" | "ms949" | "uhc" => "euc-kr".to_owned(),
            "cp950" | "950" | "ms950" => "big5".to_owned(),
            "cp874" | "tis620" => "windows-874".to_owned(),
            "eucjp" | "ujis" | "u-jis" => "euc-jp".to_owned(),
            "euckr" => "euc-kr".to_owned(),
            "gb18030-2000" => "gb18030".to_owned(),
            "iso2022jp" => "iso-2022-jp".to_owned(),
            "mac-roman" | "macroman" => "macintosh".to_owned(),
            "mac-cyrillic" | "maccyrillic" => "x-mac-cyrillic".to_owned(),
            _ => match (name.strip_prefix("iso8859-"), name.strip_prefix("cp125"), name.strip_prefix("latin-")) {
                (Some(part), _, _) => format!("iso-8859-{part}"),
                (_, Some(page), _) => format!("windows-125{page}"),
                (_, _, Some(part)) => format!("latin{part}"),
                _ => name.clone(),
            },
        };
        let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
        // Python reads the encoding line as ASCII, which these cannot hold, or does not know them.
        let is_unusable = [encoding_rs::UTF_16LE, encoding_rs::UTF_16BE, encoding_rs::X_USER_DEFINED];
        // Labels of the web that stand for another encoding than the one they name.
        let is_another = encoding == encoding_rs::WINDOWS_1252 && label != "windows-1252";
        (!is_unusable.contains(&encoding) && !is_another).then_some(Codec::Other(encoding))
    }
}

/// The encoding named in one of the first two lines, as PEP 263 wants it: in a comment, and in the second line only
/// if the first is blank or a comment.
fn cookie(bytes: &[u8]) -> Option<String> {
    let (first, rest) = split_line(bytes);
    if let Some(found) = cookie_in_line(first) {
        return Some(found);
    }
    let first = first.trim_ascii_start();
    let may_follow = first.is_empty() || first.starts_with(b"#");
    if may_follow { cookie_in_line(split_line(rest).0) } else { None }
}

fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        None => (bytes, &[]),
        Some(end) => {
            let length = if bytes[end..].starts_with(b"\r\n") { 2 } else { 1 };
            (&bytes[..end], &bytes[end + length..])
        }
    }
}

fn cookie_in_line(line: &[u8]) -> Option<String> {
    let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\x0c')).count();
    let mut comment = line[indent..].strip_prefix(b"#")?;
    const WORD: &[u8] = b"coding";
    while let Some(at) = comment.windows(WORD.len()).position(|window| window == WORD) {
        comment = &comment[at + WORD.len()..];
        let Some(b':' | b'=') = comment.first() else { continue };
        let value = &comment[1..];
        let blank = value.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let name: String = value[blank..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
            .map(|byte| char::from(*byte))
            .collect();
        if !name.is_empty() {
            return Some(name);
        }
    }
    None
}

//! What is said of a mistake in a file that a user wrote: where it is, and which word is nearest to the wrong one.

/// The place of a byte as people count, both from 1, columns in characters.
pub fn row_and_column(text: &str, start: usize) -> (usize, usize) {
    let before = text.get(..start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// serde's message in the words of the one who wrote the file, with the nearest word in place of all of them.
pub fn plainer(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    let kind = if message.starts_with("unknown field") {
        "key"
    } else if message.starts_with("unknown variant") {
        "value"
    } else {
        return message.replace("field", "key");
    };
    let mut words = message.split('`').skip(1).step_by(2);
    let Some(wrong) = words.next() else { return message.to_owned() };
    let right: Vec<&str> = words.collect();
    match nearest(wrong, &right) {
        Some(word) => format!("unknown {kind} `{wrong}`; did you mean `{word}`?"),
        None => format!("unknown {kind} `{wrong}`; expected one of `{}`", right.join("`, `")),
    }
}

/// The word with the fewest changed, added or dropped characters, where they are at most half of it.
pub fn nearest<'a>(wrong: &str, right: &[&'a str]) -> Option<&'a str> {
    let (distance, word) = right.iter().map(|word| (edit_distance(wrong, word), *word)).min()?;
    (distance * 2 <= word.len()).then_some(word)
}

/// Levenshtein's distance, a row of his matrix at a time.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

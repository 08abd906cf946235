//! From what the processes have seen to a verdict on each finding.

use std::path::PathBuf;

use super::plan::{Kind, Watch};
use super::record::{Process, Seen, Series};
use super::trend::{Envelope, every_round_adds};
use crate::finding::{Evidence, Verdict};
use crate::output::plural;

/// With fewer calls nothing can be said of a trend.
const FEW_CALLS: u64 = 20;
/// A container with fewer items has what its program has kinds of.
const FEW_KEYS: u64 = 8;
/// With fewer objects that a function makes, nothing can be said of the next.
const FEW_OBJECTS: u64 = 10;

/// The verdict on a finding: the strongest that a process gives. One that had hardly anything to do has no say beside
/// another that had.
pub fn evidence(watch: &Watch, processes: &[Process]) -> Evidence {
    let seen = processes.iter().filter_map(|process| Some((process, process.watches.get(&watch.fingerprint)?)));
    let judged = seen.map(|(process, seen)| (judge(watch, process, seen), seen.calls < FEW_CALLS));
    let strength = |(evidence, is_idle): &(Evidence, bool)| match evidence.verdict {
        Verdict::Inconclusive if *is_idle => (Verdict::NotReproduced, true),
        verdict => (verdict, false),
    };
    judged.min_by_key(strength).map_or_else(|| unseen(watch, processes), |(evidence, _)| evidence)
}

fn plain(verdict: Verdict, note: impl Into<String>) -> Evidence {
    Evidence { verdict, note: note.into(), series: Vec::new() }
}

/// Why there is nothing to judge.
fn unseen(watch: &Watch, processes: &[Process]) -> Evidence {
    if watch.kind == Kind::None {
        return not_shown();
    }
    let files: Vec<&PathBuf> = watch.places.iter().map(|place| &place.file).collect();
    let failure = processes.iter().flat_map(|process| &process.failures).find(|(path, _)| files.contains(path));
    if let Some((_, why)) = failure {
        return plain(Verdict::NotInstrumentable, why);
    }
    let is_imported = processes.iter().flat_map(|process| &process.rewritten).any(|path| files.contains(&path));
    if is_imported {
        plain(Verdict::NotInstrumentable, "no place of it is of a form that can be watched")
    } else {
        plain(Verdict::NotReached, "its module was not imported")
    }
}

fn judge(watch: &Watch, process: &Process, seen: &Seen) -> Evidence {
    match watch.kind {
        Kind::Growth | Kind::Registry | Kind::Listeners => growth(watch, seen),
        Kind::Generators => generators(seen),
        Kind::Resource | Kind::Lock => resource(process, seen),
        Kind::Instances | Kind::Functions | Kind::Classes | Kind::Frames | Kind::Referents => objects(watch.kind, seen),
        Kind::None => not_shown(),
    }
}

fn not_shown() -> Evidence {
    plain(Verdict::NotInstrumentable, "a run does not show this kind of leak")
}

fn growth(watch: &Watch, seen: &Seen) -> Evidence {
    if seen.sites == 0 {
        let why = match seen.calls {
            0 => "what fills it was not called".to_owned(),
            calls => format!("nothing was added in {}", plural(calls as usize, "call")),
        };
        return plain(Verdict::NotReached, why);
    }
    let judged = seen.series.iter().map(|series| (growth_of(watch, seen, series), series));
    let strongest = judged.min_by_key(|((verdict, _), _)| *verdict);
    let Some(((verdict, note), series)) = strongest else {
        return plain(Verdict::NotInstrumentable, "what grows there has no size");
    };
    Evidence { verdict, note, series: points(series) }
}

/// The points of a series and its end.
fn points(series: &Series) -> Vec<(u64, u64)> {
    let mut points = series.points.clone();
    if points.last().is_none_or(|(call, _)| *call < series.last.0) {
        points.push(series.last);
    }
    points
}

fn growth_of(watch: &Watch, seen: &Seen, series: &Series) -> (Verdict, String) {
    let calls = series.last.0.saturating_sub(series.born);
    let (size, of_calls) = (series.last.1, plural(calls as usize, "call"));
    if is_short_lived(seen, series) {
        let note = match seen.containers {
            1 => "it went with its object".to_owned(),
            count => format!("each of {count} went with its object"),
        };
        return (Verdict::NotReproduced, note);
    }
    if let Some(bound) = series.bound {
        return (Verdict::NotReproduced, format!("it has a bound of {bound}, and held {size} after {of_calls}"));
    }
    if watch.rounds > 1 && series.marks.len() > 1 {
        return growth_in_rounds(series);
    }
    if calls < FEW_CALLS {
        return (
            Verdict::Inconclusive,
            format!("it held {} after {of_calls}: too few to tell", plural(size as usize, "item")),
        );
    }
    let points = points(series);
    let envelope = Envelope::new(&points);
    if watch.rounds > 1 && !every_round_adds(&parts(&points, watch.rounds)) {
        return unsteady(series, &envelope, &of_calls);
    }
    if envelope.goes_on_growing() {
        let note = format!("from {} to {size} in {of_calls}, no bound seen up to {}", points[0].1, series.most);
        return (Verdict::Confirmed, note);
    }
    unsteady(series, &envelope, &of_calls)
}

/// Its object lived for less than half of the run: whatever it holds goes again.
fn is_short_lived(seen: &Seen, series: &Series) -> bool {
    let end = series.died.unwrap_or(seen.calls);
    let is_of_object = series.attribute.is_some();
    let is_unknown = is_of_object && !series.is_known_alive && series.died.is_none() && seen.containers > 1;
    is_unknown || (is_of_object && seen.containers > 1 && (end - series.born.min(end)) * 2 < seen.calls)
}

/// It does not grow to the end: it is emptied, has a bound, or no new key came.
fn unsteady(series: &Series, envelope: &Envelope, of_calls: &str) -> (Verdict, String) {
    let (size, most) = (series.last.1, series.most);
    if size < most || series.turnover > 0 {
        let note = match series.turnover {
            0 => format!("it held up to {most} in {of_calls} and {size} at the end"),
            _ => format!("it stayed at {most} in {of_calls}: old entries gave way to new ones"),
        };
        let is_rising = size < most && envelope.gain() * 2 > most;
        return (if is_rising { Verdict::Inconclusive } else { Verdict::NotReproduced }, note);
    }
    if most < FEW_KEYS {
        return (Verdict::NotReproduced, format!("it held {} after {of_calls}", plural(most as usize, "item")));
    }
    let note = format!("it grew to {most} in {of_calls} and nothing was taken out, but it grew only with new keys");
    (Verdict::KeyedGrowth, note)
}

fn growth_in_rounds(series: &Series) -> (Verdict, String) {
    let before = series.points.first().map_or(0, |point| point.1);
    let sizes: Vec<u64> = std::iter::once(before).chain(series.marks.iter().map(|mark| mark.1)).collect();
    let shown: Vec<String> = series.marks.iter().map(|mark| mark.1.to_string()).collect();
    let rounds = format!("{} after {} rounds", shown.join(", "), series.marks.len());
    let grew_once = sizes[1] > sizes[0];
    let stayed = sizes[1..].windows(2).all(|pair| pair[1] <= pair[0]);
    if every_round_adds(&sizes) {
        (Verdict::Confirmed, format!("{rounds}, no bound seen up to {}", series.most))
    } else if grew_once && stayed && sizes[1] >= FEW_KEYS && series.last.1 >= sizes[1] && series.turnover == 0 {
        (Verdict::KeyedGrowth, format!("{rounds}: the same again adds nothing, and nothing was taken out"))
    } else if stayed {
        (Verdict::NotReproduced, rounds)
    } else {
        (Verdict::Inconclusive, rounds)
    }
}

/// Sizes at the ends of equal parts of a run, that before the first part included.
fn parts(points: &[(u64, u64)], count: u32) -> Vec<u64> {
    let (first, last) = (points[0].0, points[points.len() - 1].0);
    let size_at = |call: u64| points[points.partition_point(|point| point.0 <= call).saturating_sub(1)].1;
    (0..=u64::from(count)).map(|part| size_at(first + (last - first) * part / u64::from(count))).collect()
}

fn resource(process: &Process, seen: &Seen) -> Evidence {
    let acquired = seen.acquired;
    if acquired == 0 {
        return plain(Verdict::NotReached, "nothing was acquired there");
    }
    let mut what = Vec::new();
    if seen.held > 0 {
        let examples = match seen.examples.as_slice() {
            [] => String::new(),
            examples => format!(" ({})", examples.join(", ")),
        };
        what.push(format!("{} of {acquired} still held at the end{examples}", seen.held));
    }
    if seen.warned > 0 {
        what.push(format!("{} of {acquired} went without being closed", seen.warned));
    }
    let injected = if seen.injected > 0 { ", after an exception raised on purpose" } else { "" };
    if !what.is_empty() {
        return plain(Verdict::Confirmed, format!("{}{injected}", what.join(", ")));
    }
    if seen.untracked >= acquired {
        return plain(Verdict::NotInstrumentable, "what is acquired there cannot be followed");
    }
    if !process.ended {
        return plain(Verdict::Inconclusive, "the process was ended before it could be asked what it holds");
    }
    plain(Verdict::NotReproduced, format!("{} acquired, all released{injected}", acquired))
}

fn generators(seen: &Seen) -> Evidence {
    let loops = plural(seen.acquired as usize, "loop");
    match (seen.acquired, seen.held) {
        (0, _) => plain(Verdict::NotReached, "no loop began there"),
        (_, 0) => plain(Verdict::NotReproduced, format!("{loops}, each read to the end of its generator")),
        (_, left) => plain(Verdict::Confirmed, format!("{left} of {loops} left the generator before its end")),
    }
}

fn objects(kind: Kind, seen: &Seen) -> Evidence {
    let what = match kind {
        Kind::Functions => "function",
        Kind::Classes => "class",
        Kind::Frames => "frame",
        Kind::Referents => "object",
        _ => "instance",
    };
    let plural = |count: u64| match (what, count) {
        ("class", 2..) => format!("{count} classes"),
        _ => plural(count as usize, what),
    };
    let deaths = seen.collected + seen.freed;
    if seen.born + deaths == 0 {
        return plain(Verdict::NotReached, format!("no {what} was made"));
    }
    if seen.unweakable >= seen.born && deaths == 0 {
        return plain(Verdict::NotInstrumentable, format!("a {what} of this kind cannot be followed"));
    }
    if kind != Kind::Instances && seen.born >= FEW_OBJECTS && seen.alive * 2 > seen.born {
        return plain(Verdict::Confirmed, format!("{} of {} are still kept at the end", seen.alive, plural(seen.born)));
    }
    if deaths == 0 {
        return plain(Verdict::Inconclusive, format!("{}, of which none has gone", plural(seen.born)));
    }
    let path = seen.path.as_deref().filter(|_| seen.collected > 0);
    let path = path.map_or_else(String::new, |path| format!(": {path}"));
    let note = format!("the collector freed {} of {}{path}", seen.collected, plural(deaths));
    if kind != Kind::Instances && seen.collected > 0 && seen.born.max(deaths) < FEW_OBJECTS {
        return plain(Verdict::Inconclusive, format!("{note}: too few to tell"));
    }
    plain(if seen.collected * 2 > deaths { Verdict::Confirmed } else { Verdict::NotReproduced }, note)
}

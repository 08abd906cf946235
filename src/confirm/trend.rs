//! Whether a series of sizes goes on growing.
//!
//! What counts is not how large a container gets but what it never gives back: of each point the lowest size from there
//! on, the lower envelope. The envelope of a draining queue is flat, that of a bounded cache ends flat, that of a leak
//! rises to the end.

/// Sizes at so many equal steps are enough to tell.
const STEPS: usize = 48;
/// The first steps are not looked at: modules fill their tables when they are first used.
const WARM_UP: usize = STEPS / 8;
/// The chance that what is called a trend is none.
const SIGNIFICANT: f64 = 0.01;
/// Fewer items than that are what a program happens to have.
const FEW: u64 = 5;

/// A lower envelope in equal steps of calls.
pub struct Envelope(Vec<u64>);

impl Envelope {
    /// Of pairs of calls and sizes, in the order of calls.
    pub fn new(points: &[(u64, u64)]) -> Envelope {
        let (Some(&(first, _)), Some(&(last, _))) = (points.first(), points.last()) else {
            return Envelope(Vec::new());
        };
        let width = (last - first + 1) as f64 / STEPS as f64;
        let mut steps: Vec<Option<u64>> = vec![None; STEPS];
        for &(call, size) in points {
            let step = (((call - first) as f64 / width) as usize).min(STEPS - 1);
            steps[step] = Some(steps[step].map_or(size, |lowest: u64| lowest.min(size)));
        }
        let mut size = 0;
        let mut sizes: Vec<u64> = (steps.into_iter())
            .map(|step| {
                size = step.unwrap_or(size);
                size
            })
            .collect();
        for index in (1..sizes.len()).rev() {
            sizes[index - 1] = sizes[index - 1].min(sizes[index]);
        }
        Envelope(sizes)
    }

    fn warm(&self) -> &[u64] {
        &self.0[WARM_UP.min(self.0.len())..]
    }

    /// What is there at the end and was not after the warm-up.
    pub fn gain(&self) -> u64 {
        let warm = self.warm();
        warm.last().copied().unwrap_or(0) - warm.first().copied().unwrap_or(0)
    }

    /// It rises significantly, over most of the run, and in the second half at least half as fast as in the first.
    pub fn goes_on_growing(&self) -> bool {
        let warm = self.warm();
        if warm.len() < STEPS - WARM_UP || self.gain() < FEW || mann_kendall(warm) >= SIGNIFICANT {
            return false;
        }
        let at = |part: usize| warm[(warm.len() - 1) * part / 4];
        let quarters = (0..4).filter(|part| at(part + 1) > at(*part)).count();
        let (first, second) = (at(2) - at(0), at(4) - at(2));
        quarters >= 3 && first > 0 && second > 0 && second * 2 >= first
    }
}

/// Every round adds, and the last at least half of what the first did. The first size is that before the first round.
pub fn every_round_adds(sizes: &[u64]) -> bool {
    let gains: Vec<u64> = sizes.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    match (gains.first(), gains.last()) {
        (Some(first), Some(last)) => gains.iter().all(|gain| *gain > 0) && last * 2 >= *first,
        _ => false,
    }
}

/// The two-sided p-value of the test of Mann (1945) and Kendall (1975) for a trend, with the correction for ties.
fn mann_kendall(values: &[u64]) -> f64 {
    let count = values.len() as f64;
    let pairs = (0..values.len()).flat_map(|left| (left + 1..values.len()).map(move |right| (left, right)));
    let score: i64 = pairs.map(|(left, right)| values[right].cmp(&values[left]) as i64).sum();
    let spread = |count: f64| count * (count - 1.0) * (2.0 * count + 5.0);
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let ties: f64 = sorted.chunk_by(|a, b| a == b).map(|equal| spread(equal.len() as f64)).sum();
    let variance = (spread(count) - ties) / 18.0;
    if score == 0 || variance <= 0.0 {
        return 1.0;
    }
    let z = (score.abs() - 1) as f64 / variance.sqrt();
    erfc(z / std::f64::consts::SQRT_2)
}

/// The complementary error function for arguments from 0, by Abramowitz and Stegun 7.1.26: right to 1.5e-7.
fn erfc(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let factors = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let polynomial = factors.iter().fold(0.0, |sum, factor| sum * t + factor) * t;
    polynomial * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(sizes: impl IntoIterator<Item = u64>) -> Envelope {
        let points: Vec<(u64, u64)> = sizes.into_iter().enumerate().map(|(call, size)| (call as u64, size)).collect();
        Envelope::new(&points)
    }

    #[test]
    fn what_is_never_given_back_goes_on_growing() {
        assert!(envelope(0..200).goes_on_growing());
        assert!(envelope((0..200).map(|call| call / 10)).goes_on_growing());
        // It gives back most, not all.
        assert!(envelope((0..400).map(|call| call / 4 + call % 7)).goes_on_growing());
    }

    #[test]
    fn what_has_a_bound_does_not() {
        assert!(!envelope((0..400).map(|call: u64| call.min(100))).goes_on_growing());
        assert!(!envelope((0..400).map(|call| call % 20)).goes_on_growing());
        // The last filling is not complete.
        assert!(!envelope((0..500).map(|call| call % 200)).goes_on_growing());
        assert!(!envelope((0..400).map(|_| 3)).goes_on_growing());
        assert!(!envelope((0..400).map(|call| call / 200)).goes_on_growing());
        assert!(!envelope([]).goes_on_growing());
    }

    #[test]
    fn rounds_must_all_add() {
        assert!(every_round_adds(&[0, 100, 200, 300]));
        assert!(every_round_adds(&[0, 100, 160, 220]));
        assert!(!every_round_adds(&[0, 100, 100, 200]));
        assert!(!every_round_adds(&[0, 100, 130, 150]));
        assert!(!every_round_adds(&[0]));
    }

    #[test]
    fn the_test_of_mann_and_kendall_gives_known_values() {
        // Of ten rising values S is 45 and its variance 125: z = 44 / sqrt(125) = 3.935.
        assert!((mann_kendall(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) - 8.3e-5).abs() < 1e-6);
        assert!(mann_kendall(&[1, 2, 1, 2, 1, 2, 1, 2]) > 0.1);
        assert!((mann_kendall(&[5, 5, 5]) - 1.0).abs() < f64::EPSILON);
    }
}

//! Quantiles of many numbers: within the stated error, whatever the order and the parts.

use agent_analytics::{EXACT_UP_TO, RELATIVE_ERROR, Sketch};
use proptest::prelude::*;

/// The number at rank ⌈percent / 100 · n⌉.
fn by_rank(values: &[f64], percent: u8) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (usize::from(percent) * sorted.len()).div_ceil(100).max(1);
    sorted[rank - 1]
}

fn sketch(values: &[f64]) -> Sketch {
    let mut sketch = Sketch::default();
    values.iter().for_each(|value| sketch.add(*value));
    sketch
}

/// Durations from microseconds to weeks.
fn durations() -> impl Strategy<Value = Vec<f64>> {
    let duration = prop_oneof![Just(0.0), 1e-6..1.0_f64, 1.0..1e6_f64];
    prop::collection::vec(duration, 1..400)
}

proptest! {
    #[test]
    fn a_quantile_is_as_close_as_is_said(values in durations(), percent in 0_u8..=100) {
        let (said, measured) = (sketch(&values).percentile(percent), by_rank(&values, percent));
        if values.len() <= EXACT_UP_TO {
            prop_assert_eq!(said, measured);
        } else {
            prop_assert!((said - measured).abs() <= RELATIVE_ERROR * measured * (1.0 + 1e-9), "{} {}", said, measured);
        }
    }

    #[test]
    fn parts_merged_in_any_order_are_the_whole(
        values in durations(),
        cut in any::<prop::sample::Index>(),
        backwards in any::<bool>(),
    ) {
        let (left, right) = values.split_at(cut.index(values.len()));
        let (mut merged, other) =
            if backwards { (sketch(right), sketch(left)) } else { (sketch(left), sketch(right)) };
        merged.merge(&other);
        prop_assert_eq!(&merged, &sketch(&values));
        let text = serde_json::to_string(&merged).unwrap();
        prop_assert_eq!(serde_json::from_str::<Sketch>(&text).unwrap(), merged);
    }
}

#[test]
fn room_is_bounded_whatever_is_measured() {
    let mut sketch = Sketch::default();
    let mut duration = 1e-9;
    while duration < 3.2e10 {
        sketch.add(duration);
        duration *= 1.001;
    }
    let Sketch::Buckets { counts, .. } = sketch else { panic!("too many to be kept as they are") };
    assert!(counts.len() < 2_600, "{} buckets", counts.len());
}

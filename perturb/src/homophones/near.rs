use crate::Phone;

/// Similarity of a phone and of none.
const ADDED: f32 = 0.5;

/// Visits every sequence that is one phone away, with the similarity of the change where it is at least `least`.
pub fn for_each_neighbour(phones: &[Phone], least: f32, mut visit: impl FnMut(&[Phone], f32)) {
    let mut changed = phones.to_vec();
    for place in 0..phones.len() {
        for other in Phone::all() {
            let similarity = phones[place].similarity(other);
            if other != phones[place] && similarity >= least {
                changed[place] = other;
                visit(&changed, similarity);
            }
        }
        changed[place] = phones[place];
    }
    if least > ADDED {
        return;
    }
    for place in 0..phones.len() {
        let phone = changed.remove(place);
        if !changed.is_empty() {
            visit(&changed, ADDED);
        }
        changed.insert(place, phone);
    }
    for place in 0..=phones.len() {
        for other in Phone::all() {
            changed.insert(place, other);
            visit(&changed, ADDED);
            changed.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_phone_away() {
        let phones: Vec<Phone> = ["K", "AE", "T"].map(|name| Phone::from_name(name).unwrap()).to_vec();
        let mut lengths = [0; 5];
        for_each_neighbour(&phones, 0.0, |found, similarity| {
            lengths[found.len()] += 1;
            assert!(found.len() == 3 || similarity == ADDED);
        });
        assert_eq!(lengths, [0, 0, 3, 3 * 38, 4 * 39]);
        let mut count = 0;
        for_each_neighbour(&phones, 0.9, |_, similarity| {
            assert!(similarity >= 0.9);
            count += 1;
        });
        assert!(count > 0 && count < 12, "{count}");
    }
}

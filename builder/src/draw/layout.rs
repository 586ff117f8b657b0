//! Where each node stands: a layered drawing in the manner of Sugiyama, Tagawa and Toda (1981), from left to right, in whole pixels.
//!
//! 1. A step stands one column after the last of what it needs; what needs nothing stands one column before the first that needs it.
//! 2. An edge over several columns gets a bend in each of those between, so that it goes round the boxes.
//! 3. Each column is sorted by where the neighbours of its nodes stand, several times in both directions.
//! 4. Each is moved towards its neighbours, as far as the others leave room.

use super::Drawing;

/// Height of a box.
pub const BOX: i64 = 26;
/// From one box to the next in a column.
const GAP: i64 = 12;
/// The place that a bend takes.
const BEND: i64 = 10;
/// From one column to the next, at least: room for the edges.
const BETWEEN: i64 = 56;
/// Around all.
pub const MARGIN: i64 = 16;
/// Beside the text of a box.
const PADDING: i64 = 14;
/// Nodes and bends of a picture that a person can still look at.
const MOST: usize = 20_000;

/// A box, by its middle on the left and its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From the left.
    pub x: i64,
    /// From above, to the middle.
    pub y: i64,
    /// Of the box.
    pub width: i64,
}

/// A drawing with places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// For each node.
    pub places: Vec<Place>,
    /// For each edge, the points that it goes through, from the right side of a box to the left side of another.
    pub ways: Vec<Vec<(i64, i64)>>,
    /// Of the whole.
    pub size: (i64, i64),
}

/// Boxes and bends in columns.
struct Columns {
    /// The column of each.
    column: Vec<usize>,
    /// The members of each column, from above.
    members: Vec<Vec<usize>>,
    before: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
    /// Boxes and bends that each edge goes through, its ends included.
    chains: Vec<Vec<usize>>,
    boxes: usize,
}

/// Pixels of a text in 12 px of a monospaced font. What is not ASCII may be twice as wide.
pub fn width(text: &str) -> i64 {
    let columns: i64 = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    columns * 29 / 4 + 1
}

/// Places everything; nothing where the picture would be too large to look at.
pub fn layout(drawing: &Drawing) -> Option<Layout> {
    let mut columns = Columns::of(drawing)?;
    columns.sort();
    let widths: Vec<i64> =
        drawing.nodes.iter().map(|node| width(&graphs::words::shown(&node.name)) + 2 * PADDING).collect();
    let y = columns.heights();
    let top = (0..y.len()).map(|one| y[one] - columns.height(one) / 2).min().unwrap_or(0);
    let bottom = (0..y.len()).map(|one| y[one] + columns.height(one) / 2).max().unwrap_or(0);
    let mut x = vec![];
    let mut left = MARGIN;
    for members in &columns.members {
        let widest = members.iter().filter_map(|&one| widths.get(one)).max().copied().unwrap_or(0);
        x.push((left, widest));
        // Where many edges pass, the slopes are kept gentle.
        left += widest + BETWEEN + (members.len() as i64 * 2).min(120);
    }
    let place =
        |one: usize| Place { x: x[columns.column[one]].0, y: y[one] - top + MARGIN, width: widths[one] };
    let places: Vec<Place> = (0..columns.boxes).map(place).collect();
    let way = |chain: &Vec<usize>| {
        let mut points = vec![];
        for (number, &one) in chain.iter().enumerate() {
            let (left, widest) = x[columns.column[one]];
            let y = y[one] - top + MARGIN;
            match (number, places.get(one)) {
                // Past the widest box of its column, so that it runs behind none.
                (0, Some(place)) if place.width < widest => {
                    points.extend([(place.x + place.width, y), (left + widest, y)])
                }
                (0, Some(place)) => points.push((place.x + place.width, y)),
                (_, Some(place)) => points.push((place.x, y)),
                (_, None) => points.extend([(left, y), (left + widest, y)]),
            }
        }
        points
    };
    let right = places.iter().map(|place| place.x + place.width).max().unwrap_or(0);
    Some(Layout {
        ways: columns.chains.iter().map(way).collect(),
        size: (right + MARGIN, bottom - top + 2 * MARGIN),
        places,
    })
}

impl Columns {
    fn of(drawing: &Drawing) -> Option<Columns> {
        let boxes = drawing.nodes.len();
        let mut column = vec![0; boxes];
        for &(from, to) in &drawing.edges {
            // Edges are sorted by where they come from, and that number is final when its turn comes.
            column[to] = column[to].max(column[from] + 1);
        }
        for node in (0..boxes).rev().filter(|&node| drawing.needs(node).next().is_none()) {
            column[node] = drawing.needed_by(node).map(|other| column[other]).min().unwrap_or(1) - 1;
        }
        let mut columns = Columns {
            members: vec![vec![]; column.iter().max().map_or(0, |last| last + 1)],
            column,
            before: vec![vec![]; boxes],
            after: vec![vec![]; boxes],
            chains: vec![],
            boxes,
        };
        (0..boxes).for_each(|node| columns.members[columns.column[node]].push(node));
        for &(from, to) in &drawing.edges {
            let mut chain = vec![from];
            for between in columns.column[from] + 1..columns.column[to] {
                let bend = columns.column.len();
                columns.column.push(between);
                columns.before.push(vec![]);
                columns.after.push(vec![]);
                columns.members[between].push(bend);
                chain.push(bend);
            }
            chain.push(to);
            if columns.column.len() > MOST {
                return None;
            }
            for two in chain.windows(2) {
                columns.after[two[0]].push(two[1]);
                columns.before[two[1]].push(two[0]);
            }
            columns.chains.push(chain);
        }
        Some(columns)
    }

    fn height(&self, one: usize) -> i64 {
        if one < self.boxes { BOX + GAP } else { BEND }
    }

    /// Sorts each column by the mean rank of the neighbours on one side, then on the other.
    fn sort(&mut self) {
        let mut rank = vec![0i64; self.column.len()];
        for round in 0..12 {
            let forth = round % 2 == 0;
            let order: Vec<usize> = match forth {
                true => (0..self.members.len()).collect(),
                false => (0..self.members.len()).rev().collect(),
            };
            for column in order {
                let mut members = std::mem::take(&mut self.members[column]);
                for (at, &one) in members.iter().enumerate() {
                    rank[one] = at as i64 * 1000;
                }
                let key = |one: usize| {
                    let neighbours = if forth { &self.before[one] } else { &self.after[one] };
                    let sum: i64 = neighbours.iter().map(|&other| rank[other]).sum();
                    neighbours
                        .len()
                        .try_into()
                        .map_or(rank[one], |many: i64| if many > 0 { sum / many } else { rank[one] })
                };
                let mut keyed: Vec<(i64, usize)> = members.iter().map(|&one| (key(one), one)).collect();
                // Stable, so that equal ones stay as they were.
                keyed.sort_by_key(|&(key, _)| key);
                members = keyed.into_iter().map(|(_, one)| one).collect();
                for (at, &one) in members.iter().enumerate() {
                    rank[one] = at as i64 * 1000;
                }
                self.members[column] = members;
            }
        }
    }

    /// The height of the middle of each.
    fn heights(&self) -> Vec<i64> {
        let mut y = vec![0i64; self.column.len()];
        for members in &self.members {
            let mut at = 0;
            for &one in members {
                y[one] = at + self.height(one) / 2;
                at += self.height(one);
            }
        }
        for round in 0..16 {
            let forth = round % 2 == 0;
            for number in 0..self.members.len() {
                let column = if forth { number } else { self.members.len() - 1 - number };
                self.settle(&self.members[column], forth, &mut y);
            }
        }
        y
    }

    /// Moves the members of a column to the mean of their neighbours. Pushed down from above and up from below, they keep their
    /// distances; so they do in the middle between both.
    fn settle(&self, members: &[usize], forth: bool, y: &mut [i64]) {
        let wish = |one: usize| {
            let neighbours = match (forth, self.before[one].is_empty(), self.after[one].is_empty()) {
                (true, false, _) | (false, false, true) => &self.before[one],
                _ => &self.after[one],
            };
            let sum: i64 = neighbours.iter().map(|&other| y[other]).sum();
            if neighbours.is_empty() { y[one] } else { sum / neighbours.len() as i64 }
        };
        let wishes: Vec<i64> = members.iter().map(|&one| wish(one)).collect();
        let apart = |one: usize, other: usize| (self.height(one) + self.height(other)) / 2;
        let mut down = wishes.clone();
        for at in 1..members.len() {
            down[at] = down[at].max(down[at - 1] + apart(members[at - 1], members[at]));
        }
        let mut up = wishes;
        for at in (1..members.len()).rev() {
            up[at - 1] = up[at - 1].min(up[at] - apart(members[at - 1], members[at]));
        }
        for (at, &one) in members.iter().enumerate() {
            y[one] = (down[at] + up[at]).div_euclid(2);
        }
        // Halves are rounded, and a pixel may be lacking.
        for at in 1..members.len() {
            let least = y[members[at - 1]] + apart(members[at - 1], members[at]);
            y[members[at]] = y[members[at]].max(least);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::drawing;
    use super::*;

    #[test]
    fn nothing_lies_on_anything_else_and_edges_go_to_the_right() {
        let drawing = drawing();
        let layout = layout(&drawing).unwrap();
        assert_eq!(layout, super::layout(&drawing).unwrap());
        for (number, one) in layout.places.iter().enumerate() {
            for other in &layout.places[number + 1..] {
                let beside = one.x + one.width < other.x || other.x + other.width < one.x;
                assert!(beside || (one.y - other.y).abs() >= BOX + GAP, "{one:?} {other:?}");
            }
            assert!(
                one.x >= MARGIN && one.y - BOX / 2 >= MARGIN && one.x + one.width <= layout.size.0 - MARGIN
            );
        }
        for way in &layout.ways {
            assert!(way.windows(2).all(|two| two[0].0 < two[1].0), "{way:?}");
        }
    }

    #[test]
    fn what_is_too_large_to_look_at_is_not_drawn() {
        let node = &drawing().nodes[0];
        let many = 400;
        let edges = (0..many)
            .flat_map(|to| (0..to).map(move |from| (from, to)))
            .collect::<std::collections::BTreeSet<_>>();
        let large =
            Drawing { nodes: vec![node.clone(); many], edges: edges.into_iter().collect(), focus: None };
        assert_eq!(layout(&large), None);
    }
}

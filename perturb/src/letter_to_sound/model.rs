//! An n-gram model over letters that are said together with how they are said.

use std::io::Read;
use std::str::Split;

use flate2::read::GzDecoder;

use super::spelling::LETTERS;
use crate::{Error, Phone};

/// First word of a model file.
const MAGIC: &str = "letter-to-sound-1";
/// Bytes that are unpacked at most.
const LARGEST: u64 = 1 << 26;
/// Symbol of the beginning of a word.
const BEGIN: u16 = 0;
/// Symbol of the end of a word.
pub const END: u16 = 1;
/// Symbols that stand for no letters.
const MARKS: usize = 2;
/// Steps of a stored logarithm per nat.
const STEPS: f32 = 8.0;
/// The stored weight of a context that changes nothing.
const NEUTRAL: u8 = 200;

/// The state before the first letter, and after each chunk: the longest context that the model knows.
pub type State = u32;

/// Probabilities of chunks (one or two letters with none to two phones), each given up to seven before it.
#[derive(Debug)]
pub struct Model {
    /// Phones of each symbol.
    phones: Vec<Vec<Phone>>,
    /// Symbols that begin with these letters, see [`chunk_key`].
    chunks: Vec<Vec<u16>>,
    /// The trie of n-grams, level by level: the children of a node stand together, ordered by symbol.
    nodes: Vec<Node>,
    begin: State,
}

#[derive(Debug, Clone, Copy, Default)]
struct Node {
    first_child: u32,
    children: u16,
    symbol: u16,
    /// The longest context that ends in the same way.
    shorter: State,
    probability: u8,
    backoff: u8,
}

/// The place of one letter or two in [`Model::chunks`].
fn chunk_key(first: u8, second: Option<u8>) -> usize {
    usize::from(first) + LETTERS * second.map_or(0, |letter| 1 + usize::from(letter))
}

impl Model {
    /// Reads a packed model: a line of numbers, a line for every chunk, then the columns of the trie, a byte or more a node.
    pub fn read(packed: &[u8]) -> Result<Self, Error> {
        let fail = |reason: &str| Error::LetterToSound { reason: reason.into() };
        let mut bytes = Vec::new();
        GzDecoder::new(packed)
            .take(LARGEST)
            .read_to_end(&mut bytes)
            .map_err(|error| fail(&format!("no gzip file ({error})")))?;
        let mut columns = bytes.as_slice();
        let header = line(&mut columns).ok_or_else(|| fail("no header line"))?;
        let mut numbers = header.split(' ');
        if numbers.next() != Some(MAGIC) {
            return Err(fail(&format!("it does not begin with {MAGIC:?}")));
        }
        let mut number = || numbers.next().and_then(|text| text.parse::<usize>().ok());
        let (Some(chunks), Some(nodes)) = (number(), number()) else {
            return Err(fail("the header lacks the numbers of chunks and nodes"));
        };
        let mut model = Self {
            phones: vec![Vec::new(); MARKS],
            chunks: vec![Vec::new(); LETTERS * (LETTERS + 1)],
            nodes: Vec::new(),
            begin: 0,
        };
        for _ in 0..chunks {
            let read = line(&mut columns).and_then(|line| model.add_chunk(line.split('\t')));
            read.ok_or_else(|| fail("a chunk is not one or two letters and their phones"))?;
        }
        model.read_nodes(columns, nodes).ok_or_else(|| fail("the columns do not make a trie"))?;
        Ok(model)
    }

    fn add_chunk(&mut self, mut fields: Split<'_, char>) -> Option<()> {
        let letters: Vec<u8> = fields.next()?.bytes().map(super::spelling::letter).collect::<Option<_>>()?;
        let phones = fields.next()?.split_whitespace().map(Phone::from_name).collect::<Option<Vec<_>>>()?;
        let key = match *letters.as_slice() {
            [first] => chunk_key(first, None),
            [first, second] => chunk_key(first, Some(second)),
            _ => return None,
        };
        self.chunks[key].push(u16::try_from(self.phones.len()).ok()?);
        self.phones.push(phones);
        Some(())
    }

    fn read_nodes(&mut self, mut columns: &[u8], count: usize) -> Option<()> {
        if count == 0 || count > columns.len() {
            return None;
        }
        let mut nodes = vec![Node::default(); count];
        let mut next = 1;
        for node in &mut nodes {
            (node.first_child, node.children) = (u32::try_from(next).ok()?, varint(&mut columns)?);
            next += usize::from(node.children);
        }
        if next != count {
            return None;
        }
        for parent in 0..count {
            let mut symbol = 0;
            for (place, child) in children(nodes[parent]).enumerate() {
                let step = varint(&mut columns)?;
                symbol = if place == 0 { step } else { step.checked_add(1)?.checked_add(symbol)? };
                // Children come after their parent, or the levels would not end.
                if usize::from(symbol) >= self.phones.len() || child <= parent {
                    return None;
                }
                nodes[child].symbol = symbol;
            }
        }
        let (probabilities, mut backoffs) = columns.split_at_checked(count)?;
        for (node, &probability) in nodes.iter_mut().zip(probabilities) {
            node.probability = probability;
            node.backoff = NEUTRAL;
            if node.children > 0 {
                let (first, rest) = backoffs.split_first()?;
                (node.backoff, backoffs) = (*first, rest);
            }
        }
        self.nodes = nodes;
        self.link_shorter();
        self.begin = self.child(0, BEGIN)?;
        Some(())
    }

    /// Finds every node's longest shorter context, those of short nodes first.
    fn link_shorter(&mut self) {
        for parent in 0..self.nodes.len() {
            for child in children(self.nodes[parent]) {
                let symbol = self.nodes[child].symbol;
                let mut context = parent as State;
                while context != 0 {
                    context = self.nodes[context as usize].shorter;
                    if let Some(found) = self.child(context, symbol) {
                        self.nodes[child].shorter = found;
                        break;
                    }
                }
            }
        }
    }

    fn child(&self, state: State, symbol: u16) -> Option<State> {
        let range = children(self.nodes[state as usize]);
        let place = self.nodes[range.clone()].binary_search_by_key(&symbol, |node| node.symbol).ok()?;
        Some((range.start + place) as State)
    }

    /// The state before a word.
    pub fn begin(&self) -> State {
        self.begin
    }

    /// The phones of a chunk.
    pub fn phones(&self, symbol: u16) -> &[Phone] {
        &self.phones[usize::from(symbol)]
    }

    /// The chunks of one letter or two.
    pub fn chunks(&self, first: u8, second: Option<u8>) -> &[u16] {
        &self.chunks[chunk_key(first, second)]
    }

    /// The natural logarithm of a symbol's probability in a state, and the state after it.
    pub fn step(&self, state: State, symbol: u16) -> (f32, State) {
        let (mut context, mut score) = (state, 0.0);
        loop {
            if let Some(found) = self.child(context, symbol) {
                return (score - f32::from(self.nodes[found as usize].probability) / STEPS, found);
            }
            if context == 0 {
                // No chunk is so rare: the least that can be stored.
                return (score - f32::from(u8::MAX) / STEPS, 0);
            }
            let node = self.nodes[context as usize];
            score += (f32::from(node.backoff) - f32::from(NEUTRAL)) / STEPS;
            context = node.shorter;
        }
    }
}

fn children(node: Node) -> std::ops::Range<usize> {
    node.first_child as usize..node.first_child as usize + usize::from(node.children)
}

/// Takes a line off the front.
fn line<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let (line, rest) = bytes.split_at(end);
    *bytes = &rest[1..];
    std::str::from_utf8(line).ok()
}

/// Takes a number off the front: seven bits a byte, the lowest first, the last byte below 128.
fn varint(bytes: &mut &[u8]) -> Option<u16> {
    let mut value = 0_u32;
    for shift in [0, 7, 14] {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return u16::try_from(value).ok();
        }
    }
    None
}

// Hash and tree maps, sorting, formatting and closures, on two threads.
use std::collections::{BTreeMap, HashMap};

trait Shape {
    fn area(&self, depth: u32) -> f64;
}

struct Square(f64);

impl Shape for Square {
    #[inline(never)]
    fn area(&self, depth: u32) -> f64 {
        if depth == 0 {
            return self.0 * self.0;
        }
        let half: Box<dyn Shape> = Box::new(Square(self.0 / 2.0));
        half.area(depth - 1) * 4.0
    }
}

fn work(seed: u64) -> usize {
    let mut counts: HashMap<String, u64> = HashMap::new();
    for i in 0..500u64 {
        *counts.entry(format!("item-{}", (seed * 31 + i * 7) % 97)).or_insert(0) += i;
    }
    let tree: BTreeMap<&String, &u64> = counts.iter().collect();
    let mut sorted: Vec<(&&String, u64)> = tree.iter().map(|(name, count)| (name, **count)).collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let text = sorted.iter().map(|(name, count)| format!("{name}={count}")).collect::<Vec<_>>().join(",");
    text.len() + Square(seed as f64).area(20) as usize
}

fn main() {
    println!("ready");
    let threads: Vec<_> = (0..2u64)
        .map(|first| {
            std::thread::spawn(move || {
                let mut sum = 0usize;
                for seed in first.. {
                    sum = sum.wrapping_add(work(seed));
                }
                sum
            })
        })
        .collect();
    for thread in threads {
        println!("{}", thread.join().unwrap());
    }
}

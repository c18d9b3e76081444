// A Rust program with known state, for looking into. It prints `ready`, does one round of calls for each line that it
// reads, and ends with its input.
//
// rustc -g -O state.rs -o state-rs
use std::io::BufRead;

#[repr(C)]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

#[repr(C)]
pub struct Account {
    pub id: u32,
    pub balance: i64,
    pub at: Point,
    pub next: *const Account,
}

unsafe impl Sync for Account {}

static THIRD: Account = Account { id: 3, balance: 3000, at: Point { x: 3, y: -3 }, next: std::ptr::null() };
static SECOND: Account = Account { id: 2, balance: 2000, at: Point { x: 2, y: -2 }, next: &THIRD };
#[no_mangle]
pub static ACCOUNTS: Account = Account { id: 1, balance: 1000, at: Point { x: 1, y: -1 }, next: &SECOND };

#[no_mangle]
#[inline(never)]
pub extern "C" fn deposit(account: &Account, amount: i64) -> i64 {
    std::hint::black_box(account.balance + amount)
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn finished() {
    std::hint::black_box(());
}

fn main() {
    println!("ready");
    for _ in std::io::stdin().lock().lines() {
        let mut sum = 0;
        let mut next: *const Account = &ACCOUNTS;
        while let Some(account) = unsafe { next.as_ref() } {
            sum += deposit(account, 1);
            next = account.next;
        }
        finished();
        println!("done {sum}");
    }
}

//! Makes parts of a table on several threads and hands them over in order.

use std::sync::mpsc::sync_channel;

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;

/// Runs `make` for each part on `threads` threads, and `take` for each result, in order, on this one.
///
/// Thread `t` makes the parts `t`, `t + threads`, ... and waits until each is taken, so at most two parts a
/// thread are in memory.
///
/// # Errors
/// The first error of `make` or `take`, or that Ctrl-C was pressed.
pub(crate) fn in_order<T: Send>(
    parts: u64,
    threads: u64,
    interrupt: &Interrupt,
    make: impl Fn(u64) -> Result<T> + Sync,
    mut take: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    let threads = threads.clamp(1, parts.max(1));
    std::thread::scope(|scope| {
        let mut results = Vec::new();
        for thread in 0..threads {
            let (sender, receiver) = sync_channel(1);
            let make = &make;
            results.push(receiver);
            scope.spawn(move || {
                for part in (thread..parts).step_by(threads as usize) {
                    let result = interrupt.check().and_then(|()| make(part));
                    let failed = result.is_err();
                    // A receiver that is gone has met an error of its own.
                    if sender.send(result).is_err() || failed {
                        return;
                    }
                }
            });
        }
        for part in 0..parts {
            let result = results[(part % threads) as usize].recv();
            take(
                result
                    .map_err(|_| Error::Encoding(format!("part {part} was not made; please report it")))??,
            )?;
        }
        Ok(())
    })
}

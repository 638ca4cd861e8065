// What the thread sanitizer must see, and must not, with tsan-preload.c: `interop/sanitize` builds this file by itself and reads the
// reports.
import Dispatch
import Synchronization

final class Counter: @unchecked Sendable {
    private var value = 0
    private let mutex = Mutex(())

    /// A race where two tasks do it.
    func planted() { value += 1 }

    /// None where whoever does it next was resumed by whoever did it last.
    func ordered() { value += 1 }

    func locked() { mutex.withLock { _ in value += 1 } }
}

@main
struct Check {
    static func main() async {
        let counter = Counter()
        for _ in 0..<2000 {
            // Resumed before it waits, mostly.
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async {
                    counter.ordered()
                    continuation.resume()
                }
            }
            counter.ordered()
            await withUnsafeContinuation { continuation in
                DispatchQueue.global().async {
                    counter.ordered()
                    continuation.resume()
                }
            }
            counter.ordered()
        }
        let other = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<2000 { other.locked() } }
            }
        }
        let shared = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    for _ in 0..<1000 {
                        shared.planted()
                        await withCheckedContinuation { continuation in
                            DispatchQueue.global().async { continuation.resume() }
                        }
                    }
                }
            }
        }
    }
}

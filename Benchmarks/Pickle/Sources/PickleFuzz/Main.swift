import Foundation
import Pickle

/// Feeds mutated pickles to everything that reads one, and tells what the worst input cost.
///
///     python3 seeds.py > seeds.bin
///     swift run -c release --sanitize=address PickleFuzz seeds.bin 10000000 [random seed]
///
/// A crash is the sanitizer's; with `FUZZ_KEEP=1` the last input is in `fuzz-last.bin`, which costs more than decoding it.
/// The sanitizer keeps freed memory for a while: `ASAN_OPTIONS=quarantine_size_mb=1` makes the peak mean something.
@main
struct PickleFuzz {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3, let count = Int(arguments[2]) else {
            print("usage: PickleFuzz SEEDS COUNT [RANDOM-SEED]")
            exit(2)
        }
        let seeds = try frames(of: [UInt8](Data(contentsOf: URL(fileURLWithPath: arguments[1]))))
        var mutator = Mutator(seeds: seeds, seed: arguments.count > 3 ? UInt64(arguments[3]) ?? 1 : 1)
        let keeps = ProcessInfo.processInfo.environment["FUZZ_KEEP"] != nil
        var slowest: (nanoseconds: UInt64, input: [UInt8]) = (0, [])
        var largest: (kilobytes: Int, input: [UInt8]) = (0, [])
        var decoded = 0
        var refused: [String: Int] = [:]
        // Tables that are made once are not the fault of one input.
        for seed in seeds { try? walk(seed) }
        var peak = peakKilobytes()
        let clock = ContinuousClock()
        let start = clock.now
        for round in 1...count {
            let input = mutator.next()
            if keeps { try Data(input).write(to: URL(fileURLWithPath: "fuzz-last.bin")) }
            var time = timed(input) { error in
                if let error { refused[error.code.description, default: 0] += 1 } else { decoded += 1 }
            }
            if time > slowest.nanoseconds {
                // What was only bad luck is not so slow again.
                for _ in 0..<3 { time = min(time, timed(input) { _ in }) }
                if time > slowest.nanoseconds { slowest = (time, input) }
            }
            let memory = peakKilobytes()
            if memory - peak > largest.kilobytes { largest = (memory - peak, input) }
            peak = memory
            if round % 250_000 == 0 {
                print(
                    "\(round) inputs, \(decoded) decoded, \(clock.now - start), slowest \(slowest.nanoseconds / 1000) µs,",
                    "largest +\(largest.kilobytes) kB"
                )
                fflush(nil)
            }
        }
        print("\(count) inputs, \(decoded) decoded, refused: \(refused.sorted { $0.value > $1.value })")
        print("peak memory of the process \(peak) kB, \(clock.now - start)")
        print(
            "slowest input: \(slowest.nanoseconds / 1000) µs CPU, \(slowest.input.count) bytes: \(hex(slowest.input))"
        )
        print(
            "input that raised the peak most: +\(largest.kilobytes) kB, \(largest.input.count) bytes: \(hex(largest.input))"
        )
        fflush(nil)
    }

    /// CPU time of everything that may be done with one input.
    static func timed(_ input: [UInt8], _ report: (PickleError?) -> Void) -> UInt64 {
        var failure: PickleError?
        let begin = now()
        do {
            try walk(input)
        } catch {
            failure = error as? PickleError
        }
        let time = now() - begin
        report(failure)
        return time
    }

    static func hex(_ bytes: [UInt8]) -> String {
        let digits = bytes.prefix(300).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return bytes.count > 300 ? digits + "…" : digits
    }

    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    static func peakKilobytes() -> Int {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
            getrusage(RUSAGE_SELF, &usage)
        #endif
        return usage.ru_maxrss
    }

    static func frames(of bytes: [UInt8]) -> [[UInt8]] {
        var result: [[UInt8]] = []
        var place = 0
        while place + 4 <= bytes.count {
            let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
            result.append(Array(bytes[place + 4..<place + 4 + length]))
            place += 4 + length
        }
        return result
    }
}

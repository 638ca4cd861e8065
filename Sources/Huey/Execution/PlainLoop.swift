import Logging
import Pickle

/// Runs messages of a block one after the other without a suspension, as long as each is a plain call of a synchronous handler: what most
/// messages are. Belongs to one worker.
// Not Sendable: the memory that one message leaves is the next one's.
package final class PlainLoop {
    /// Why a loop has ended.
    package enum End {
        /// Every message of the block is claimed, or as many have run as were allowed: none is claimed that has not run.
        case done
        /// This message takes more than its handler: nothing has happened to it.
        case message(Int)
        /// A task has failed.
        case open(OpenCall)
        /// So much waits to be written that nothing had better be added.
        case full
    }

    /// A call that has ended with an error, or with a value that cannot be written.
    package struct OpenCall {
        let context: TaskContext
        let error: any Error
        let duration: Duration

        /// Its message.
        package var delivery: Delivery { context.start.delivery }
    }

    private enum Bound {
        /// After so many tasks it is noted when the next one starts.
        static let noted = 16
    }

    private let executor: Executor
    // Only the loop uses them, which does not call itself.
    @exclusivity(unchecked) private var scratch = PickleScratch()
    @exclusivity(unchecked) private var writer: PickleWriter

    package init(_ executor: Executor) {
        self.executor = executor
        writer = PickleWriter(protocol: executor.huey.messageCodec.pickles?.pickleProtocol ?? 5)
    }

    /// What is the same for all messages of a loop.
    private struct Frame {
        let block: MessageBlock
        let huey: Huey
        let gatherer: any GatheringSink
        let serializer: PickleSerializer
        let limits: PickleLimits
        let storesResults: Bool
        let storesNone: Bool
        let valueLimit: Int
        let logs: Bool
    }

    /// Runs messages.
    ///
    /// - Parameters:
    ///   - first: the place of the first one, which is claimed.
    ///   - limit: how many at most.
    ///   - isLast: whether nothing waits behind the block, as far as its caller knows: then what is finished is written before its last
    ///     message runs, which may take its time.
    /// - Returns: why it has ended, and how many it has run.
    package func run(_ block: MessageBlock, from first: Int, atMost limit: Int, isLast: Bool) -> (end: End, count: Int)
    {
        let huey = block.huey
        guard let gatherer = executor.gatherer, let serializer = huey.messageCodec.pickles, !huey.immediate,
            huey.tracing.sinks == nil, huey.hooks.isQuiet
        else { return (.message(first), 0) }
        let frame = Frame(
            block: block,
            huey: huey,
            gatherer: gatherer,
            serializer: serializer,
            limits: huey.messageCodec.smallLimits,
            storesResults: huey.options.results,
            storesNone: huey.options.storeNone,
            valueLimit: huey.options.maximumResultSize,
            logs: executor.logger.logLevel <= .info
        )
        executor.slot.enter(block)
        defer { executor.slot.enter(nil) }
        return run(frame, first, limit, isLast)
    }

    private func run(_ frame: Frame, _ first: Int, _ limit: Int, _ isLast: Bool) -> (end: End, count: Int) {
        let (block, hooks, generation) = (frame.block, frame.huey.hooks, frame.huey.revocationGeneration)
        let slot = executor.slot
        let clearance = block.look.clearance
        let begin = ContinuousClock.now
        var (now, counted) = (begin, begin)
        var (count, uncounted) = (0, 0)
        defer { slot.add(uncounted, counted.duration(to: now)) }
        slot.note(now)
        var place = first
        while true {
            if isLast, place == block.count - 1 { frame.gatherer.writeSoon() }
            guard let clearance, place >= clearance.first, clearance.generation == generation.current,
                now < clearance.until, hooks.isQuiet
            else { return (.message(place), count) }
            slot.run(place)
            let result = call(frame, place, at: now)
            slot.run(nil)
            switch result {
            case .odd: return (.message(place), count)
            case .interrupted: return (.done, count + 1)
            case .open(let call):
                now = now.advanced(by: call.duration)
                uncounted += 1
                return (.open(call), count + 1)
            case .ended(let end, let isFull):
                count += 1
                uncounted += 1
                if now.duration(to: end) > Executor.Bound.fast || uncounted == Bound.noted {
                    slot.add(uncounted, counted.duration(to: end))
                    slot.note(end)
                    (uncounted, counted) = (0, end)
                }
                now = end
                if isFull { return (.full, count) }
            }
            guard count < limit, let next = block.claim() else { return (.done, count) }
            place = next
        }
    }

    private enum CallResult {
        case odd
        case interrupted
        case open(OpenCall)
        case ended(at: ContinuousClock.Instant, isFull: Bool)
    }

    /// Decodes a message, calls its handler, and hands its value over.
    @inline(__always)
    private func call(_ frame: Frame, _ place: Int, at begin: ContinuousClock.Instant) -> CallResult {
        let block = frame.block
        guard let task = block.likelyTask(at: place), let handler = task.inPlace else { return .odd }
        guard let document = document(frame, place) else { return .odd }
        return withExtendedLifetime(document) {
            guard let fields = Message.fields(of: document.root), let look = block.lookPlace(of: place, fields),
                PlainCall.isPlain(fields, of: document), let id = fields.utf8(at: 0), !Message.isRevocationKey(id)
            else { return .odd }
            let call = PlainCall(fields: fields)
            let summary = frame.logs ? call.summary(of: task) : ""
            if frame.logs { executor.logger.info("Executing \(summary)") }
            let isFull: Bool
            let end: ContinuousClock.Instant
            do {
                let isNone = try handler(call, &writer)
                end = .now
                isFull = try handOver(frame, id, place, isNone, at: end)
            } catch {
                writer.reset()
                let start = ReadyTask(block, place, plain: fields, task: task, look: look)
                return open(error, start, took: begin.duration(to: .now))
            }
            let duration = begin.duration(to: end)
            if duration > Executor.Bound.fast { frame.huey.revocationGeneration.advance() }
            if frame.logs { executor.logEnd(summary, took: duration) }
            task.metrics.record(task.name, took: duration, lateness: nil, effects: [])
            return .ended(at: end, isFull: isFull)
        }
    }

    @inline(__always)
    private func document(_ frame: Frame, _ place: Int) -> PickleDocument? {
        if let view = frame.block.keptView(at: place) { return view.document }
        let delivery = frame.block.deliveries[place]
        guard delivery.redeliveries == 0, frame.serializer.isPlain else { return nil }
        return delivery.data.withUnsafeBytes { try? scratch.read($0, limits: frame.limits) }
    }

    /// - Throws: ``RegisteredTask/UnwritableValue``.
    @inline(__always)
    private func handOver(
        _ frame: Frame,
        _ id: UnsafeBufferPointer<UInt8>,
        _ place: Int,
        _ isNone: Bool,
        at now: ContinuousClock.Instant
    ) throws -> Bool {
        guard frame.storesResults, frame.storesNone || !isNone else {
            writer.reset()
            return frame.gatherer.complete(id, nil, of: (frame.block, place), at: now)
        }
        do {
            guard !frame.serializer.isPlain else {
                return try writer.finish { value in
                    try check(value.count, frame, id)
                    return frame.gatherer.complete(id, value, of: (frame.block, place), at: now)
                }
            }
            let value = try frame.serializer.seal(try writer.finish(), followedBy: [])
            try check(value.count, frame, id)
            return value.withUnsafeBufferPointer { frame.gatherer.complete(id, $0, of: (frame.block, place), at: now) }
        } catch {
            throw RegisteredTask.UnwritableValue(error: error)
        }
    }

    private func check(_ count: Int, _ frame: Frame, _ id: UnsafeBufferPointer<UInt8>) throws {
        guard count > frame.valueLimit else { return }
        let id = String(decoding: id, as: UTF8.self)
        throw HueyError.tooLarge("the value of task \(id.bounded())", count, frame.valueLimit)
    }

    private func open(_ error: any Error, _ start: ReadyTask, took duration: Duration) -> CallResult {
        if error is CancellationError, Task.isCancelled {
            _ = executor.interrupted(start)
            return .interrupted
        }
        let context = TaskContext(huey: executor.huey, start: start, deadline: nil, logger: executor.logger)
        guard let unwritable = error as? RegisteredTask.UnwritableValue else {
            executor.note(error, context, took: duration)
            return .open(OpenCall(context: context, error: error, duration: duration))
        }
        executor.note(nil, context, took: duration)
        // A value that cannot be written is the task's failure, and the producer is told so.
        executor.logUnwritable(unwritable.error, start)
        return .open(OpenCall(context: context, error: unwritable.error, duration: duration))
    }
}

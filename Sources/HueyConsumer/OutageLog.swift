import Logging
import Synchronization

/// Logs once that something does not work, and once that it works again.
final class OutageLog: Sendable {
    private let isFailing = Mutex(false)
    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    func failed(_ message: Logger.Message, _ error: any Error) {
        let isNew = isFailing.withLock { isFailing in
            defer { isFailing = true }
            return !isFailing
        }
        if isNew { logger.error(message, metadata: ["reason": "\(error)"]) }
    }

    func works(_ message: Logger.Message) {
        let isNew = isFailing.withLock { isFailing in
            defer { isFailing = false }
            return isFailing
        }
        if isNew { logger.info(message) }
    }
}

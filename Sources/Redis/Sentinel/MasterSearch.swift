/// Which of the masters that sentinels name is tried next. Pure: it does no I/O and knows no clock.
///
/// All sentinels are asked at once. As soon as most of them have answered, or those that did were waited for long
/// enough, the master of the latest configuration epoch is tried: a sentinel that was cut off still names the old one.
struct MasterSearch<Address: Hashable> {
    /// What a sentinel says.
    enum Answer {
        case master(Address, epoch: Int)
        /// It watches no master of that name.
        case unknownService
        case failed(RedisError)
    }

    enum Action: Equatable {
        /// Nothing to do yet.
        case wait
        /// Wait for further answers, but not long; then call ``patienceIsOver()``.
        case bePatient
        /// Connect to this server, and tell ``connected()`` or ``failed(_:)``.
        case dial(Address)
        /// The connection is the one.
        case done
        case fail(RedisError)
    }

    private let service: String
    private let majority: Int
    private var unanswered: Int
    private var candidates: [(address: Address, epoch: Int)] = []
    private var dialing: (address: Address, epoch: Int)?
    private var tried: Set<Address> = []
    private var isPatienceOver = false
    private var isOver = false
    private var doubters = 0
    private var lastError: RedisError?

    /// A search for the master of `service` through so many sentinels.
    init(service: String, sentinels: Int) {
        self.service = service
        unanswered = sentinels
        majority = sentinels / 2 + 1
    }

    mutating func answered(_ answer: Answer) -> Action {
        unanswered -= 1
        switch answer {
        case .master(let address, let epoch): candidates.append((address, epoch))
        case .unknownService: doubters += 1
        case .failed(let error):
            // That a login was refused says more than that somebody was not there.
            if lastError?.code != .authenticationFailed { lastError = error }
        }
        let action = next()
        guard action == .wait, candidates.count == 1, dialing == nil, tried.isEmpty, !isOver else { return action }
        if case .master = answer { return .bePatient }
        return action
    }

    /// The first answer was waited upon long enough.
    mutating func patienceIsOver() -> Action {
        isPatienceOver = true
        return next()
    }

    /// The server that was dialled is there, and is a master.
    mutating func connected() -> Action {
        guard let dialed = dialing else { return .wait }
        dialing = nil
        // Meanwhile a sentinel may have named a later one.
        if let best, best.epoch > dialed.epoch { return next() }
        isOver = true
        return .done
    }

    /// The server that was dialled is not there, or is no master.
    mutating func failed(_ error: RedisError) -> Action {
        dialing = nil
        lastError = error
        return next()
    }

    private var best: (address: Address, epoch: Int)? {
        var best: (address: Address, epoch: Int)?
        for candidate in candidates where !tried.contains(candidate.address) {
            if best.map({ candidate.epoch > $0.epoch }) ?? true { best = candidate }
        }
        return best
    }

    private mutating func next() -> Action {
        guard !isOver, dialing == nil else { return .wait }
        if let best {
            guard candidates.count >= majority || unanswered == 0 || isPatienceOver else { return .wait }
            dialing = best
            tried.insert(best.address)
            return .dial(best.address)
        }
        guard unanswered == 0 else { return .wait }
        isOver = true
        return .fail(failure)
    }

    private var failure: RedisError {
        if tried.isEmpty, doubters > 0 {
            return RedisError(.connectFailed, "no sentinel that answers knows a master called '\(service)'")
        }
        return lastError ?? RedisError(.connectFailed, "there is no sentinel to ask for '\(service)'")
    }
}

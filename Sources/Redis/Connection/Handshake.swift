/// What a new connection says first, in one write, and what the answers mean.
struct Handshake {
    private enum Step {
        case authenticate
        case select
        case setName
        case identify
        case role
    }

    private let steps: [Step]
    /// The commands.
    let batch: RedisBatch
    private let password: String?

    /// - Parameter verifyingMaster: whether a server that is no master is refused.
    init(_ configuration: RedisConfiguration, verifyingMaster: Bool = false) {
        var batch = RedisBatch()
        var steps: [Step] = []
        if batch.appendLogin(user: configuration.username, password: configuration.password) {
            steps.append(.authenticate)
        }
        if configuration.database != 0 {
            batch.append("SELECT", RedisArgument(configuration.database))
            steps.append(.select)
        }
        if let name = configuration.clientName, !name.isEmpty {
            batch.append("CLIENT", "SETNAME", RedisArgument(name))
            steps.append(.setName)
        }
        batch.append("CLIENT", "ID")
        steps.append(.identify)
        if verifyingMaster {
            batch.append("ROLE")
            steps.append(.role)
        }
        self.batch = batch
        self.steps = steps
        password = configuration.password
    }

    /// The connection's number, 0 if the server would not tell it.
    ///
    /// Name and number are a convenience, and a user may be forbidden `CLIENT` and `ROLE`; logging in and the database
    /// are not.
    func evaluate(_ replies: RedisReplies) -> Result<Int, RedisError> {
        var clientID = 0
        for (step, reply) in zip(steps, replies) {
            if let error = reply.error {
                if step == .authenticate || error.prefix == "NOAUTH" { return .failure(error.refusedLogin(password)) }
                if step == .select { return .failure(error) }
                if step == .identify || step == .role, error.isTransient { return .failure(error) }
            } else if step == .identify {
                clientID = reply.integer ?? 0
            } else if step == .role, let role = reply.elements?.first?.string, role != "master" {
                return .failure(RedisError(.connectFailed, "it is no master, but says that it is a \(role)"))
            }
        }
        return .success(clientID)
    }
}

extension RedisBatch {
    /// Adds `AUTH` if there is something to log in with; whether there is. As redis-py: a user without a password logs
    /// in with an empty one.
    mutating func appendLogin(user: String?, password: String?) -> Bool {
        let user = user.flatMap { $0.isEmpty ? nil : $0 }
        let password = password.flatMap { $0.isEmpty ? nil : $0 }
        if let user {
            append("AUTH", RedisArgument(user), RedisArgument(password ?? ""))
        } else if let password {
            append("AUTH", RedisArgument(password))
        }
        return user != nil || password != nil
    }
}

extension RedisError {
    /// The server's refusal of a login, in its own words unless they repeat the password (an unknown command's error
    /// quotes its arguments).
    func refusedLogin(_ password: String?) -> RedisError {
        let repeats = password.map { !$0.isEmpty && message.contains($0) } ?? false
        return RedisError(.authenticationFailed, repeats ? "the server refused the login" : message)
    }
}

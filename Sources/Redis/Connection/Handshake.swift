/// What a new connection says first, in one write, and what the answers mean.
struct Handshake {
    private enum Step {
        case authenticate
        case select
        case setName
        case identify
    }

    private let steps: [Step]
    /// The commands.
    let batch: RedisBatch
    private let password: String?

    init(_ configuration: RedisConfiguration) {
        var batch = RedisBatch()
        var steps: [Step] = []
        // As redis-py: a user without a password logs in with an empty one.
        let username = configuration.username.flatMap { $0.isEmpty ? nil : $0 }
        let password = configuration.password.flatMap { $0.isEmpty ? nil : $0 }
        if let username {
            batch.append("AUTH", RedisArgument(username), RedisArgument(password ?? ""))
            steps.append(.authenticate)
        } else if let password {
            batch.append("AUTH", RedisArgument(password))
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
        self.batch = batch
        self.steps = steps
        self.password = password
    }

    /// The connection's number, 0 if the server would not tell it.
    ///
    /// Name and number are a convenience, and a user may be forbidden `CLIENT`; logging in and the database are not.
    func evaluate(_ replies: RedisReplies) -> Result<Int, RedisError> {
        var clientID = 0
        for (step, reply) in zip(steps, replies) {
            if let error = reply.error {
                if step == .authenticate || error.prefix == "NOAUTH" {
                    return .failure(RedisError(.authenticationFailed, reason(error)))
                }
                if step == .select { return .failure(error) }
                if step == .identify, error.isTransient { return .failure(error) }
            } else if step == .identify {
                clientID = reply.integer ?? 0
            }
        }
        return .success(clientID)
    }

    /// The server's words, unless they repeat the password (an unknown command's error quotes its arguments).
    private func reason(_ error: RedisError) -> String {
        if let password, error.message.contains(password) { return "the server refused the login" }
        return error.message
    }
}

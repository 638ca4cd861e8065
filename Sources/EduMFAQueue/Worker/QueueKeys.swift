package import HueyRedis

/// The keys of an instance that a mail worker looks at beside its tasks.
package struct QueueKeys: Sendable, Hashable {
    /// The instance's name as its keys have it.
    package let name: String
    /// Where messages wait.
    package let queue: String
    /// Where messages wait for their time.
    package let schedule: String
    /// What the worker knows of the mail that is next: since when it waits, and its id.
    package let oldest: String
    /// Where messages are kept that cannot be run.
    package let dead: String

    package init(name: String, cleaning: NameCleaning) {
        let name = cleaning.clean(name)
        self.name = name
        queue = "huey.redis.\(name)"
        schedule = "huey.schedule.\(name)"
        oldest = "huey.swift.oldest.\(name)"
        dead = "huey.swift.dead.\(name)"
    }
}

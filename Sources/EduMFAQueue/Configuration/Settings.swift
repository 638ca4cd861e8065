package import Pickle

/// What a worker is told: the settings of the configuration file that it uses, the environment's over them, and flags over those.
package struct Settings: Sendable {
    /// Where a setting comes from.
    package enum Source: Sendable, Hashable {
        case file
        /// From the file, which a Python interpreter has run.
        case interpreter
        case environment
        case flag
    }

    package struct Entry: Sendable, Hashable {
        package var value: PickleValue
        package var source: Source
    }

    package let product: Product
    /// The configuration file; nil when there is none.
    package let file: String?
    /// The configuration file that was looked for in vain.
    package var missingFile: String?
    package private(set) var entries: [String: Entry] = [:]
    /// What an administrator should know, though the worker can start.
    package internal(set) var warnings: [String] = []

    init(product: Product, file: String?) {
        self.product = product
        self.file = file
    }

    mutating func set(_ name: String, _ value: PickleValue, from source: Source) {
        entries[name] = Entry(value: value, source: source)
    }

    mutating func remove(_ name: String) { entries[name] = nil }

    package subscript(name: String) -> PickleValue? { entries[name]?.value }

    /// A setting that is a string and not empty.
    package func text(_ name: String) -> String? {
        guard case .string(let text)? = self[name], !text.isEmpty else { return nil }
        return text
    }

    /// What a message about a setting that is missing has to add.
    var absence: String { missingFile.map { "; the configuration file \($0) does not exist" } ?? "" }

    /// The value of a text from the environment or the command line: None, True, False and ints are what they are in Python, everything
    /// else is a string.
    package static func value(ofText text: String) -> PickleValue { PythonLiteral.value(ofText: text) }

    /// The options of the queue by the names of its keywords. Mirrors `JobCollector.register_app`.
    package var queueOptions: [String: PickleValue] {
        var options: [String: PickleValue] = [:]
        let prefix = product.queueOptionPrefix
        for (name, entry) in entries where name.hasPrefix(prefix) && name != product.queueClassSetting {
            options[name.dropFirst(prefix.count).lowercased()] = entry.value
        }
        return options
    }
}

/// A configuration that a worker cannot start with.
package struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
    /// Whether the file is no Python, so that the product itself does not start with it.
    let isSyntaxError: Bool

    package init(_ description: String) {
        self.description = description
        isSyntaxError = false
    }

    init(syntaxErrorIn path: String, line: Int?) {
        description = "syntax error in \(path)" + (line.map { ", line \($0)" } ?? "")
        isSyntaxError = true
    }
}

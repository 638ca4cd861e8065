package import Pickle

/// Runs a configuration file as the product does, and tells what the settings are then.
package protocol PythonInterpreter: Sendable {
    /// What is run, for messages.
    var path: String { get }

    /// The values of the settings that `names` picks; those that are no plain data are left out.
    ///
    /// - Throws: ``ConfigurationError`` when the file fails or takes too long.
    func settings(ofFile file: String, prefix: String) async throws -> [String: PickleValue]
}

/// Brings a worker's settings together.
package struct SettingsLoader: Sendable {
    package var product: Product
    /// The configuration file's path and content; nil when there is none.
    package var file: (path: String, source: [UInt8])?
    package var environment: [String: String]
    package var flags: [String: PickleValue]
    /// The interpreter for what is no literal; nil when there is none.
    package var interpreter: (any PythonInterpreter)?

    package init(
        product: Product,
        file: (path: String, source: [UInt8])?,
        environment: [String: String],
        flags: [String: PickleValue] = [:],
        interpreter: (any PythonInterpreter)? = nil
    ) {
        self.product = product
        self.file = file
        self.environment = environment
        self.flags = flags
        self.interpreter = interpreter
    }

    /// - Throws: ``ConfigurationError`` naming the setting that could not be read, and how else to pass it.
    package func load() async throws -> Settings {
        var settings = Settings(product: product, file: file?.path)
        // Flask reads these first, so that the file comes before them.
        if let prefix = product.environmentPrefix {
            for (name, text) in environment where name.hasPrefix(prefix) {
                let setting = String(name.dropFirst(prefix.count))
                if product.uses(setting) { settings.set(setting, FlaskEnvironment.value(text), from: .environment) }
            }
        }
        if let file { try await read(file, into: &settings) }
        for (name, text) in environment where product.uses(name) && name != product.fileVariable {
            settings.set(name, PythonLiteral.value(ofText: text), from: .environment)
        }
        let prefix = product.queueOptionPrefix
        if flags[prefix + "URL"] != nil {
            // A whole address takes the place of its parts.
            for name in ["HOST", "PORT", "DB", "USERNAME", "PASSWORD"] where flags[prefix + name] == nil {
                settings.remove(prefix + name)
            }
        }
        for (name, value) in flags { settings.set(name, value, from: .flag) }
        return settings
    }

    private func read(_ file: (path: String, source: [UInt8]), into settings: inout Settings) async throws {
        let assignments = PythonAssignments(source: file.source)
        let used = assignments.bindings.filter {
            isWanted($0.key) && environment[$0.key] == nil && flags[$0.key] == nil
        }
        var unread: [String: Int] = [:]
        for (name, binding) in used {
            switch binding {
            case .value(let value): settings.set(name, value, from: .file)
            case .expression(let line): unread[name] = line
            }
        }
        guard !unread.isEmpty || assignments.opaqueLine != nil else { return }
        do {
            guard let interpreter else { throw ConfigurationError("no Python interpreter was found") }
            let values = try await interpreter.settings(ofFile: file.path, prefix: product.prefix)
            for (name, value) in values where isWanted(name) { settings.set(name, value, from: .interpreter) }
            for (name, line) in unread where values[name] == nil {
                try complain(name, line, file.path, "its value is no plain data", &settings)
            }
        } catch let error as ConfigurationError where error.isSyntaxError {
            throw error
        } catch let error as ConfigurationError {
            if interpreter == nil, let line = assignments.syntaxErrorLine {
                throw ConfigurationError(syntaxErrorIn: file.path, line: line)
            }
            for (name, line) in unread.sorted(by: { $0.key < $1.key }) where settings[name] == nil {
                try complain(name, line, file.path, error.description, &settings)
            }
            if let line = assignments.opaqueLine, unread.isEmpty {
                settings.warnings.append(
                    "\(file.path), line \(line), may set anything, and could not be run as Python: \(error)"
                )
            }
        }
    }

    /// Flask takes upper-case names only.
    private func isWanted(_ name: String) -> Bool {
        product.uses(name) && name == name.uppercased() && name != name.lowercased()
    }

    private func complain(
        _ name: String,
        _ line: Int,
        _ path: String,
        _ reason: String,
        _ settings: inout Settings
    ) throws {
        let text = """
            \(name) could not be read: in \(path), line \(line), it is not a plain value but depends on Python code, and \
            \(reason). Pass it in the environment variable \(name) or as --set \(name)=VALUE
            """
        guard product.isRequired(name) else {
            settings.warnings.append(text)
            return
        }
        throw ConfigurationError(text)
    }
}

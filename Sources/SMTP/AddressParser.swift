/// An address out of what people write: `email.utils.parseaddr` as CPython has it since 3.13 (strict), whose parser is
/// `email._parseaddr.AddrlistClass`.
///
/// Unlike there, an address literal (`user@[192.0.2.1]`) is an address, as it was to CPython before.
package struct AddressParser {
    private typealias Text = [Unicode.Scalar]

    private static let lineEnds: Set<Unicode.Scalar> = ["\r", "\n"]
    private static let spaces: Set<Unicode.Scalar> = [" ", "\t", "\r", "\n"]
    private static let specials = Set<Unicode.Scalar>("()<>@,:;.\"[]".unicodeScalars)
    private static let atomEnds = specials.union(spaces)
    /// A dot is allowed in phrases.
    private static let phraseEnds = atomEnds.subtracting(["."])
    /// Groups within groups, and comments within comments, deeper than Python's stack would allow.
    private static let deepest = 100

    /// Longer text is no address with its name and comments; each of its characters would cost much more here than on the wire.
    private static let longest = 64 * 1024

    private let field: [Unicode.Scalar]
    private var position = 0
    private var isTooDeep = false

    private init(_ text: String) { field = Array(text.unicodeScalars) }

    /// The address in `text`; empty when there is not exactly one.
    package static func address(in text: String) -> String {
        guard text.utf8.count <= longest, hasBalancedParentheses(text) else { return "" }
        var parser = AddressParser(text)
        let addresses = parser.list()
        guard addresses.count == 1, !parser.isTooDeep, hasNoBracketsButALiteral(addresses[0]) else { return "" }
        return string(addresses[0])
    }

    /// Whether square brackets are there only around the whole of the domain.
    private static func hasNoBracketsButALiteral(_ address: Text) -> Bool {
        guard let bracket = address.firstIndex(of: "[") else { return true }
        guard bracket > 1, address[bracket - 1] == "@", address.last == "]" else { return false }
        return address[(bracket + 1)...].dropLast().allSatisfy { scalar in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || ".:-".unicodeScalars.contains(scalar))
        }
    }

    private static func string(_ text: Text) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text)
        return String(view)
    }

    /// CPython's `_check_parenthesis`: those outside of quoted names.
    private static func hasBalancedParentheses(_ text: String) -> Bool {
        var opens = 0
        var isEscaped = false
        var held = 0
        var isQuoted = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                isEscaped = false
                continue
            }
            switch scalar {
            case "\\": isEscaped = true
            case "\"":
                isQuoted.toggle()
                held = 0
            case "(" where isQuoted: held += 1
            case ")" where isQuoted: held -= 1
            case "(": opens += 1
            case ")": opens -= 1
            default: break
            }
            if opens < 0 { return false }
        }
        // A quote that is never closed quotes nothing.
        return isQuoted ? opens + held == 0 : opens == 0
    }

    private var current: Unicode.Scalar? { position < field.count ? field[position] : nil }

    private mutating func list() -> [Text] {
        var result: [Text] = []
        while position < field.count, !isTooDeep {
            let found = next(depth: 0)
            result += found.isEmpty ? [[]] : found
        }
        return result
    }

    private mutating func next(depth: Int) -> [Text] {
        guard depth < Self.deepest else {
            isTooDeep = true
            position = field.count
            return []
        }
        skipToNext()
        let start = position
        let phrases = phraseList()
        skipToNext()
        var found: [Text] = []
        switch current {
        case nil: found = phrases.prefix(1).map { $0 }
        case ".", "@":
            position = start
            found = [addressSpecification()]
        case ":": found = group(depth)
        case "<": found = [routeAddress()]
        case let scalar?:
            if let first = phrases.first {
                found = [first]
            } else if Self.specials.contains(scalar) {
                position += 1
            }
        }
        skipToNext()
        if current == "," { position += 1 }
        return found
    }

    private mutating func group(_ depth: Int) -> [Text] {
        var found: [Text] = []
        position += 1
        while position < field.count {
            skipToNext()
            if current == ";" {
                position += 1
                break
            }
            found += next(depth: depth + 1)
        }
        return found
    }

    private mutating func routeAddress() -> Text {
        var expectsRoute = false
        var found: Text = []
        position += 1
        skipToNext()
        while let scalar = current {
            if expectsRoute {
                _ = domain()
                expectsRoute = false
            } else if scalar == ">" {
                position += 1
                break
            } else if scalar == "@" {
                position += 1
                expectsRoute = true
            } else if scalar == ":" {
                position += 1
            } else {
                found = addressSpecification()
                position += 1
                break
            }
            skipToNext()
        }
        return found
    }

    private mutating func addressSpecification() -> Text {
        var parts: [Text] = []
        func dropBlank() { if let last = parts.last, last.allSatisfy(Self.spaces.contains) { parts.removeLast() } }
        skipToNext()
        scan: while let scalar = current {
            var keepsSpace = true
            switch scalar {
            case ".":
                dropBlank()
                parts.append(["."])
                position += 1
                keepsSpace = false
            case "\"":
                let quoted = delimited(until: ["\"", "\r"], allowsComments: false)
                parts.append(["\""] + quoted.flatMap { $0 == "\\" || $0 == "\"" ? ["\\", $0] : [$0] } + ["\""])
            case _ where Self.atomEnds.contains(scalar):
                dropBlank()
                break scan
            default: parts.append(atom(Self.atomEnds))
            }
            let space = skipToNext()
            if keepsSpace, !space.isEmpty { parts.append(space) }
        }
        guard current == "@" else { return Array(parts.joined()) }
        position += 1
        skipToNext()
        let domain = domain()
        // Half an address is worse than none.
        return domain.isEmpty ? [] : Array(parts.joined()) + ["@"] + domain
    }

    private mutating func domain() -> Text {
        var found: Text = []
        while let scalar = current {
            switch scalar {
            case " ", "\t": position += 1
            case "(": _ = delimited(until: [")", "\r"], allowsComments: true)
            case "[": found += ["["] + delimited(until: ["]", "\r"], allowsComments: false) + ["]"]
            case ".":
                position += 1
                found.append(".")
            case "@": return []
            case _ where Self.atomEnds.contains(scalar): return found
            default: found += atom(Self.atomEnds)
            }
        }
        return found
    }

    /// What stands between two delimiters, from the first on.
    private mutating func delimited(
        until ends: Set<Unicode.Scalar>,
        allowsComments: Bool,
        depth: Int = 0
    ) -> Text {
        guard depth < Self.deepest else {
            isTooDeep = true
            position = field.count
            return []
        }
        var found: Text = []
        var isEscaped = false
        position += 1
        while let scalar = current {
            if isEscaped {
                found.append(scalar)
                isEscaped = false
            } else if ends.contains(scalar) {
                position += 1
                break
            } else if allowsComments, scalar == "(" {
                found += delimited(until: ends, allowsComments: true, depth: depth + 1)
                continue
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                found.append(scalar)
            }
            position += 1
        }
        return found
    }

    private mutating func atom(_ ends: Set<Unicode.Scalar>) -> Text {
        let start = position
        while let scalar = current, !ends.contains(scalar) { position += 1 }
        return Array(field[start..<position])
    }

    private mutating func phraseList() -> [Text] {
        var found: [Text] = []
        while let scalar = current {
            switch scalar {
            case _ where Self.spaces.contains(scalar): position += 1
            case "\"": found.append(delimited(until: ["\"", "\r"], allowsComments: false))
            case "(": _ = delimited(until: [")", "\r"], allowsComments: true)
            case _ where Self.phraseEnds.contains(scalar): return found
            default: found.append(atom(Self.phraseEnds))
            }
        }
        return found
    }

    /// Skips white space and comments; returns the spaces and tabs.
    @discardableResult
    private mutating func skipToNext() -> Text {
        var skipped: Text = []
        while let scalar = current {
            if Self.spaces.contains(scalar) {
                if !Self.lineEnds.contains(scalar) { skipped.append(scalar) }
                position += 1
            } else if scalar == "(" {
                _ = delimited(until: [")", "\r"], allowsComments: true)
            } else {
                break
            }
        }
        return skipped
    }
}

import Pickle
import TestSupport
import Testing

@testable import Huey

/// `Fixtures/bindings.json` is what CPython makes of each call; `interop/bindings.py` writes it.
@Suite("Arguments are bound as CPython binds them")
struct BindingTests {
    struct Document: Decodable {
        var calls: [Call]
        var signatures: [Case]
    }

    struct Call: Decodable {
        /// A pickle of `(args, kwargs)`.
        var pickle: HexBytes
        var text: String
    }

    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        struct Parameter: Decodable {
            var name: String
            var kind: String
            var `default`: HexBytes?
        }

        struct Result: Decodable {
            /// Python's `repr()` of each parameter's value.
            var values: [String]?
            var error: String?
        }

        var signature: String
        var parameters: [Parameter]
        var results: [Result]
        var testDescription: String { signature }

        func make() throws -> Signature {
            try Signature(
                name: "tasks.call",
                parameters: parameters.map { parameter in
                    let value = try parameter.default.map { PickleValue(try PickleDocument($0.bytes).root) }
                    return switch parameter.kind {
                    case "VAR_POSITIONAL": .variadic(parameter.name)
                    case "VAR_KEYWORD": .keywords(parameter.name)
                    case "KEYWORD_ONLY": .keywordOnly(parameter.name, value)
                    default: value.map { .optional(parameter.name, $0) } ?? .required(parameter.name)
                    }
                }
            )
        }
    }

    static let document = Result { try Fixture.load("bindings.json", as: Document.self) }

    static func cases() throws -> [Case] { try document.get().signatures }

    @Test("every call gives CPython's values or CPython's TypeError", arguments: try cases())
    func calls(of test: Case) throws {
        let calls = try Self.document.get().calls
        let signature = try test.make()
        try #require(calls.count == test.results.count)
        for (call, expected) in zip(calls, test.results) {
            let root = try PickleDocument(call.pickle.bytes).root
            let args = try #require(root[0])
            let kwargs = try #require(root[1])
            do {
                var bound = try signature.bind(args: args, kwargs: kwargs)
                let values = try test.parameters.map { _ in try bound.next(as: PickleView.self).repr }
                #expect(values == expected.values, "\(call.text)")
            } catch let error as PickleException {
                #expect(
                    error.repr == expected.error.map { PickleException.builtin("TypeError", $0).repr },
                    "\(call.text)"
                )
            }
        }
    }

    @Test(
        "parameters that Python would refuse are a configuration error",
        arguments: [
            ["a", "a"],
            [.optional("a", 1), "b"],
            [.variadic("a"), .variadic("b")],
            [.keywords("a"), .keywords("b")],
            ["a", .keywordOnly("a")],
        ] as [[Parameter]]
    )
    func refused(parameters: [Parameter]) {
        let error = #expect(throws: HueyError.self) { try Signature(name: "tasks.call", parameters: parameters) }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test("a handler that takes more than it declares fails instead of reading beyond")
    func handlerTakesMore() async throws {
        let worker = Worker()
        worker.huey.task("tasks.add", parameters: "a") { (a: Int, b: Int) in a + b }
        let message = try worker.huey.message("tasks.add", TaskArguments([1]))
        let result = try await worker.run(message)
        #expect(throws: TaskException.self) { try result.get() }
    }
}

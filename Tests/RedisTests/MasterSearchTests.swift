import Testing

@testable import Redis

@Suite struct MasterSearchTests {
    typealias Search = MasterSearch<String>

    private let refused = RedisError(.connectFailed, "refused")

    @Test func `what most sentinels name is dialled at once`() {
        var search = Search(service: "s", sentinels: 3)
        let first = search.answered(.master("a", epoch: 1))
        #expect(first == .bePatient)
        let second = search.answered(.master("a", epoch: 1))
        #expect(second == .dial("a"))
        let late = search.answered(.master("a", epoch: 1))
        #expect(late == .wait)
        let end = search.connected()
        #expect(end == .done)
        // The patience was started, and ends after the search.
        let afterwards = search.patienceIsOver()
        #expect(afterwards == .wait)
    }

    @Test func `one sentinel suffices where the others are away, and where they are slow`() {
        var search = Search(service: "s", sentinels: 3)
        let first = search.answered(.failed(refused))
        #expect(first == .wait)
        let second = search.answered(.master("a", epoch: 1))
        #expect(second == .bePatient)
        let third = search.patienceIsOver()
        #expect(third == .dial("a"))
        var alone = Search(service: "s", sentinels: 1)
        let only = alone.answered(.master("a", epoch: 1))
        #expect(only == .dial("a"))
        var last = Search(service: "s", sentinels: 3)
        _ = last.answered(.failed(refused))
        _ = last.answered(.unknownService)
        let named = last.answered(.master("a", epoch: 1))
        #expect(named == .dial("a"))
    }

    @Test func `the latest epoch is believed`() {
        var search = Search(service: "s", sentinels: 3)
        _ = search.answered(.master("old", epoch: 4))
        let action = search.answered(.master("new", epoch: 5))
        #expect(action == .dial("new"))
        _ = search.answered(.master("old", epoch: 4))
        // The new one is not there yet: the old one may still be the master, and says so itself.
        let next = search.failed(refused)
        #expect(next == .dial("old"))
        let end = search.failed(refused)
        #expect(end == .fail(refused))
    }

    @Test func `a later master is not missed while an older one is dialled`() {
        var search = Search(service: "s", sentinels: 3)
        _ = search.answered(.master("old", epoch: 4))
        let early = search.patienceIsOver()
        #expect(early == .dial("old"))
        let meanwhile = search.answered(.master("new", epoch: 5))
        #expect(meanwhile == .wait)
        let next = search.connected()
        #expect(next == .dial("new"))
        let end = search.connected()
        #expect(end == .done)
    }

    @Test func `a server that was tried is not tried again`() {
        var search = Search(service: "s", sentinels: 2)
        _ = search.answered(.master("a", epoch: 1))
        let action = search.patienceIsOver()
        #expect(action == .dial("a"))
        let waiting = search.failed(refused)
        #expect(waiting == .wait)
        let end = search.answered(.master("a", epoch: 1))
        #expect(end == .fail(refused))
    }

    @Test func `a search that finds nothing tells why`() {
        var unknown = Search(service: "misspelt", sentinels: 2)
        _ = unknown.answered(.failed(refused))
        guard case .fail(let error) = unknown.answered(.unknownService) else {
            Issue.record("the search goes on")
            return
        }
        #expect(error.code == .connectFailed && error.message.contains("misspelt"))
        var away = Search(service: "s", sentinels: 2)
        _ = away.answered(.failed(RedisError(.authenticationFailed, "wrong")))
        let login = away.answered(.failed(refused))
        #expect(login == .fail(RedisError(.authenticationFailed, "wrong")))
        var none = Search(service: "s", sentinels: 0)
        guard case .fail = none.patienceIsOver() else {
            Issue.record("a search without sentinels goes on")
            return
        }
    }

    @Test func `every order of three answers ends in the same master`() {
        let answers: [Search.Answer] = [.master("old", epoch: 1), .master("new", epoch: 2), .failed(refused)]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            var search = Search(service: "s", sentinels: 3)
            var dialed: [String] = []
            func take(_ action: Search.Action) {
                if case .dial(let address) = action {
                    dialed.append(address)
                    take(search.connected())
                }
            }
            for index in order { take(search.answered(answers[index])) }
            #expect(dialed == ["new"])
        }
    }
}

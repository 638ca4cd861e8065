import Pickle

// Look at a pickle from anywhere: nothing in it is imported, called or executed.
let bytes: [UInt8] = try PickleValue.dict(["name": "Ada", "years": [1815, 1852]]).pickled()
let document = try PickleDocument(bytes)
print(document.root)  // {'name': 'Ada', 'years': [1815, 1852]}

// Take it apart: views cost nothing, types check what they get.
let born = document.root["years"]?[0]?.int
let years = try document.root["years"].map { try [Int](pickle: $0) }

// Build one: byte for byte what pickle.dumps writes for the same value.
let point = try PickleValue.tuple([.float(1.5), .none, .bytes([0xFF])]).pickled(protocol: 4)

// What has no meaning in Swift is carried through, its sharing and cycles kept.
let same = try document.encoded(protocol: 2)
print(born ?? 0, years ?? [], point.count, same.count)

package journal

// messageID is the MESSAGE_ID of a kind of entry: an event's kind, begin, end, record or
// record-open; "" for one that the catalog does not know.
func messageID(kind string) string { return messageIDs()[kind] }

// messageIDs are random, and never change: catalogs and people's filters name them.
func messageIDs() map[string]string {
	return map[string]string{
		"operation-begun":     "7cc895275d064c6f8767c2feaa70cc4a",
		"operation-ended":     "42b823a351484070a3984e541eebd6a4",
		"transition-begun":    "a7e2af3b985344a1b929bbfb0e8ecacf",
		"transition-ended":    "cc23ad4b6c1f4145a012452dcc597b88",
		"cluster-idle":        "a36006851e3947b8af9037b020395a38",
		"dc-changed":          "9cf9a42e8f2541168b70d2757731893d",
		"node-changed":        "c9142cedd40a4426839e5bb97644ea5a",
		"node-joined":         "fd1b5e22ec4345e5bff2f2d8bfee51e0",
		"node-left":           "72d85f34933a4e0aaa669bf722af99da",
		"quorum-gained":       "8c71409b9e6e4d19bb5fd2618c4c6cc4",
		"quorum-lost":         "f85c57826bd94e45a0adab681c52b7fa",
		"token-lost":          "1005e2d47471497e9b549c1e4037d64d",
		"link-down":           "ba0781d7eb3a465a9c2d1db9dbccb6ca",
		"link-up":             "c9eebe17f3b54b4c89543b8998079416",
		"fencing-requested":   "4ff8d42313eb4c308b3437cd2d4afbfe",
		"fencing-ended":       "fd604570373c473c956f090325f5ebce",
		"unit-died":           "56dd62f8d1b042ae9c5e65ddb7843652",
		"unit-started":        "ab9a51e0fd67405897aba2c6cef974d1",
		"address-added":       "6b5f17c2f7884147868ded0032b9e50f",
		"address-removed":     "bffd32eb75714fce93a496a0c71bb1fc",
		"attribute-changed":   "698b193e4d76465ca55f1060fc7eaf12",
		"constraint-set":      "96a1844bf6a549919bea590b9189c74f",
		"constraint-cleared":  "f9f065f7b7a34769abc945713047aa86",
		"standby-set":         "7459f397560d4b199a013f45694b731a",
		"standby-cleared":     "d61c2f967fcb45ad8866d0ebdb1cdc27",
		"maintenance-set":     "25a883bfe25f4409bb4083c839dcd205",
		"maintenance-cleared": "f96d5187eb17421a9778234dc56dc0aa",
		"shutdown-requested":  "66f59c2ce52143b1822be283d063eb11",
		"setting-changed":     "721d33ad4fda4e63b98ae6ccd2586cf4",
		"view-changed":        "54897fda34b14fea8a7241fb5ce40f69",
		"database-changed":    "2dbfde1cb2ee4815aae3356b59ff67e6",
		"peer-suspected":      "77debb3345ad426f8ed7231df01828ad",
		"probe-good":          "b67ae2257ebc4fd18b431e7da24f74bc",
		"probe-bad":           "98c9d93dc6bb4268a256393ffabe3a61",
		"gap":                 "2011a1568e3c432cbcb4017213365876",
		"clock-changed":       "b3ffabea8468406c8bd8f817ce1eebf1",
		"resource-known":      "5baaadf6f8d24685aba600dae04ce007",
		"resource-running":    "03e94eda554646fe968537c134048129",
		"another-cluster":     "aae3de6fe2134b0c99e3c4ad2722777d",
		"service-known":       "c2b1f3f0d8a94d0f9a3d6c1be27f58e4",
		"begin":               "e5a74b9897074732b5c07db31a868e71",
		"end":                 "21e9671607ac4b09b9ac04c1e2234376",
		"record":              "5285b737c17d47b39d10a7a60ef98cc7",
		"record-open":         "c8f135e82a9b42088ee2fd427ecb3b64",
	}
}

package bootstrap

import "testing"

func TestParsePositionIsStrict(t *testing.T) {
	const u = "34bab88e-e717-11f1-b3ea-5324129cba9f"
	good := map[string]Position{
		u + ":0":                                  {u, 0},
		u + ":-1":                                 {u, -1},
		u + ":18446744073709551615":               {u, -1},
		u + ":9223372036854775807":                {u, 9223372036854775807},
		"34BAB88E-E717-11F1-B3EA-5324129CBA9F:7":  {u, 7},
		"00000000-0000-0000-0000-000000000000:-1": NoPosition(),
	}
	for in, want := range good {
		if got, err := ParsePosition(in); err != nil || got != want {
			t.Errorf("ParsePosition(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", ":", u, u + ":", u + ":10,0-0-0", u + ":-2", u + ":+1", u + ":01", u + ": 1", u + ":1 ", u + ":1e3",
		u + ":9223372036854775808", u[1:] + ":1", "g" + u[1:] + ":1", "34bab88e_e717-11f1-b3ea-5324129cba9f:1",
	} {
		if got, err := ParsePosition(in); err == nil {
			t.Errorf("ParsePosition(%q) = %v; want an error", in, got)
		}
	}
}

func FuzzParsePosition(f *testing.F) {
	f.Add("34bab88e-e717-11f1-b3ea-5324129cba9f:10")
	f.Add("34bab88e-e717-11f1-b3ea-5324129cba9f:10,0-0-0")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePosition(s)
		if err != nil {
			return
		}
		again, err := ParsePosition(p.String())
		if err != nil || again != p {
			t.Fatalf("%q became %v, then %v, %v", s, p, again, err)
		}
	})
}

// FuzzDecide holds every decision to checkSafe.
func FuzzDecide(f *testing.F) {
	f.Add([]byte{0, 10, 1, 1, 20, 0, 2, 10, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		var nodes []Node
		for i := 0; i+2 < len(data) && len(nodes) < 5; i += 3 {
			n := Node{
				Name: string(rune('a' + len(nodes))), State: State(data[i] % 3),
				Reported: data[i]&4 == 0, NoGrastate: data[i+2]&1 != 0, Denied: data[i+2]&1 != 0 && data[i]&32 != 0, SafeToBootstrap: data[i+2]&2 != 0,
				Ignored: data[i]&8 != 0, Interrupted: data[i]&16 != 0,
			}
			if n.State == Offline {
				n.Reported = false // attributes leave with their node
			}
			n.Position = Position{UUID: uuidOf([]string{"0", "a", "b"}[data[i+2]>>2%3]), Seqno: int64(data[i+1]) - 1}
			if n.Position.None() {
				n.Position = NoPosition()
			}
			nodes = append(nodes, n)
		}
		around := Circumstances{Quorate: true, TwoNode: len(data)%2 == 0}
		d := Decide(nodes, around)
		checkSafe(t, "fuzz", nodes, around, d)
		if again := Decide(nodes, around); again.Node != d.Node || again.Verdict != d.Verdict {
			t.Fatalf("two nodes decide differently: %v, %v", d, again)
		}
	})
}

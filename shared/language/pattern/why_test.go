package pattern

import "testing"

func TestAMissNamesTheConditionAndWhatWasFound(t *testing.T) {
	e, err := Decode(Envelope{ID: "e", Source: "/s", Type: "a", Subject: "ada", HasSubject: true, Time: "2026-03-01T10:00:00.000Z",
		Data: []byte(`{"amount":5,"user":{"tier":"gold"},"legs":[{"from":"AMS","to":"LIS"},{"from":"LIS","to":"FNC"}],"tags":["a"],"a.b":{"c":1}}`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		pattern string
		want    Miss
	}{
		{`{"data":{"amount":[{"numeric":[">",100]}]}}`, Miss{"data.amount", `[{"numeric":[">",100]}]`, "5"}},
		{`{"data":{"user":{"tier":["gold"],"name":[ "x" , "y" ]}}}`, Miss{"data.user.name", `["x","y"]`, ""}},
		{`{"data":{"user":{"tier":["silver"]},"amount":[5]}}`, Miss{"data.user.tier", `["silver"]`, `"gold"`}},
		{`{"subject":["bob"]}`, Miss{"subject", `["bob"]`, `"ada"`}},
		{`{"data":{"tags":["b"]}}`, Miss{"data.tags", `["b"]`, `["a"]`}},
		{`{"data":{"legs":{"to":["OPO"]}}}`, Miss{"data.legs.to", `["OPO"]`, `[{"from":"AMS","to":"LIS"},{"from":"LIS","to":"FNC"}]`}},
		{`{"data":{"legs":{"from":["AMS"],"to":["FNC"]}}}`, Miss{}},
		{`{"data":{"amount":[5],"$or":[{"user":{"tier":["x"]}},{"tags":["b"]}]}}`, Miss{"data.$or", `[{"user":{"tier":["x"]}},{"tags":["b"]}]`, ""}},
		{`{"data":{"a.b":{"c":[2]}}}`, Miss{"data.a.b.c", `[2]`, "1"}},
		{`{"data":{"amount":[{"exists":false}]}}`, Miss{"data.amount", `[{"exists":false}]`, "5"}},
	} {
		p, err := Compile([]byte(tt.pattern), "filter")
		if err != nil || p.Match(e) {
			t.Fatalf("%s: %v, want a pattern that the event does not match", tt.pattern, err)
		}
		if got := Why([]byte(tt.pattern), e); got != tt.want {
			t.Errorf("Why(%s) = %+v, want %+v", tt.pattern, got, tt.want)
		}
	}
}

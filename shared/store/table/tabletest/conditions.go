package tabletest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/store/table"
)

// tried are conditions, and whether they hold of an item with the fields n = 5,
// s = "five" and an expiry, and of none.
func tried() []struct {
	what         string
	when         table.Condition
	held, ofNone bool
} {
	return []struct {
		what         string
		when         table.Condition
		held, ofNone bool
	}{
		{"none", nil, true, true},
		{"no item", table.NoItem(), false, true},
		{"an item", table.Exists(), true, false},
		{"absent n", table.Absent("n"), false, true},
		{"absent other", table.Absent("other"), true, true},
		{"absent zero", table.Absent("zero"), true, true},
		{"n = 5", table.Equal("n", int64(5)), true, false},
		{"n = 4", table.Equal("n", int64(4)), false, false},
		{"n = five", table.Equal("n", "five"), false, false},
		{"s = five", table.Equal("s", "five"), true, false},
		{"s = 5", table.Equal("s", int64(5)), false, false},
		{"name = x, a word of DynamoDB's own", table.Equal("name", "x"), true, false},
		{"n <= 5", table.AtMost("n", 5), true, false},
		{"n <= 4", table.AtMost("n", 4), false, false},
		{"n > 4", table.Greater("n", 4), true, false},
		{"n > 5", table.Greater("n", 5), false, false},
		{"other <= 5", table.AtMost("other", 5), false, false},
		{"other > -1", table.Greater("other", -1), false, false},
		{"expires <= its time", table.AtMost(table.ExpiresField, expires.Unix()), true, false},
		{"expires > its time", table.Greater(table.ExpiresField, expires.Unix()), false, false},
		{"expires absent", table.Absent(table.ExpiresField), false, true},
		{"n = 4 or s = five", table.Equal("n", int64(4)).Or(table.Equal("s", "five")), true, false},
		{"n = 4 or no item", table.Equal("n", int64(4)).Or(table.NoItem()), false, true},
		{"n > 4 and n <= 6", table.Greater("n", 4).And(table.AtMost("n", 6)), true, false},
		{"n > 5 and n <= 6", table.Greater("n", 5).And(table.AtMost("n", 6)), false, false},
		{"absent other and (n = 1 or n = 5)", table.Absent("other").And(table.Equal("n", int64(1)).Or(table.Equal("n", int64(5)))), true, false},
		{"revision 1", table.Revision("n", 1), false, true},
		{"revision 6", table.Revision("n", 6), true, false},
	}
}

// conditions tries each with every verb that takes one.
func conditions(t *testing.T, to table.Table) {
	for i, tt := range tried() {
		for _, there := range []bool{true, false} {
			want := tt.ofNone
			key := table.Key{Partition: "none", Sort: fmt.Sprint(i)}
			if there {
				key.Partition, want = "five", tt.held
				it := table.Item{Key: key, Fields: table.Fields{"n": int64(5), "s": "five", "zero": int64(0), "name": "x"}, Expires: expires}
				put(t, to, it)
			}
			how := table.How{If: tt.when}
			err := to.Transact(t.Context(), []table.Write{
				{Verb: table.Checks, Item: table.Item{Key: key}, If: checked(tt.when)}, {Verb: table.Deletes, Item: table.Item{Key: table.Key{Partition: "x", Sort: "x"}}},
			}, table.ForDisk)
			holds(t, "transaction: "+tt.what, there, err, want)
			_, _, err = to.Update(t.Context(), key, table.Change{Set: table.Fields{"seen": "u"}}, how)
			holds(t, "update: "+tt.what, there, err, want)
			if !there && want {
				if err := to.Delete(t.Context(), key); err != nil {
					t.Fatal(err)
				}
			}
			_, _, err = to.Put(t.Context(), table.Item{Key: key, Fields: table.Fields{"seen": "p"}}, how)
			holds(t, "put: "+tt.what, there, err, want)
		}
	}
}

// checked is a condition for a check, which must have one.
func checked(c table.Condition) table.Condition {
	if len(c) == 0 {
		return table.Absent("never")
	}
	return c
}

func holds(t *testing.T, what string, there bool, err error, want bool) {
	t.Helper()
	if got := err == nil; got != want || err != nil && !errors.Is(err, table.ErrRefused) {
		t.Errorf("%s, with an item there: %v: %v, want it to hold: %v", what, there, err, want)
	}
}

func refusedPut(t *testing.T, to table.Table) {
	first := table.Item{Key: table.Key{Partition: "p", Sort: "s"}, Fields: table.Fields{"a": "1", "t": table.Text("x")}, Expires: expires}
	put(t, to, first)
	old, _, err := to.Put(t.Context(), item("p", "s", table.Fields{"a": "2"}), table.How{If: table.NoItem()})
	if !errors.Is(err, table.ErrRefused) {
		t.Errorf("a put where an item is: %v, want ErrRefused", err)
	}
	same(t, "what is there", old, first)
	got, _ := get(t, to, first.Key)
	same(t, "item", got, first)
	old, _, err = to.Put(t.Context(), item("p", "none", nil), table.How{If: table.Exists()})
	if !errors.Is(err, table.ErrRefused) || len(old.Fields) > 0 {
		t.Errorf("a put where no item is: %v, %v, want ErrRefused and no item", old, err)
	}
}

func expiry(t *testing.T, to table.Table) {
	key := table.Key{Partition: "p", Sort: "s"}
	keep := func(until time.Time) error {
		_, _, err := to.Update(t.Context(), key, table.Change{Expires: until}, table.How{If: table.AtMost(table.ExpiresField, until.Unix()-1)})
		return err
	}
	put(t, to, table.Item{Key: key, Fields: table.Fields{"a": "1"}, Expires: expires})
	for _, tt := range []struct {
		by    time.Duration
		moved bool
	}{{time.Hour, true}, {time.Minute, false}, {time.Hour, false}, {2 * time.Hour, true}} {
		if err := keep(expires.Add(tt.by)); (err == nil) != tt.moved {
			t.Errorf("moving the expiry by %v: %v, want it moved: %v", tt.by, err, tt.moved)
		}
	}
	if _, _, err := to.Update(t.Context(), key, table.Change{Set: table.Fields{"a": "2"}}, table.How{}); err != nil {
		t.Fatal(err)
	}
	got, _ := get(t, to, key)
	same(t, "item", got, table.Item{Key: key, Fields: table.Fields{"a": "2"}, Expires: expires.Add(2 * time.Hour)})
}

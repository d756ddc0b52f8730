package liquid

import "testing"

func TestObjectsInTextAreJSON(t *testing.T) {
	const data = `{"o":{"k": 1,"s":"a\"é\u0041","n":null,"l":[1, 2.50]},"l":["a",{"b":1},[null]],"e":{}}`
	for _, tt := range []struct{ source, want string }{
		{"{{ o }}", `{"k":1,"s":"a\"é\u0041","n":null,"l":[1,2.50]}`},
		{"x{{ o }}", `x{"k":1,"s":"a\"é\u0041","n":null,"l":[1,2.50]}`},
		{"{{ e }}", `{}`},
		{"{{ l }}", `a{"b":1}`}, // an array's items, one after the other
		{"{{ l | join: ',' }}", `a,{"b":1},`},
		{"{{ l | upcase }}", `["A",{"B":1},[NULL]]`},
		{"{{ o.l | append: '!' }}", `[1,2.50]!`},
		{"{{ e | append: o.l }}", `{}[1,2.50]`},
		{"{{ o.l | url_encode }}", `%5B1%2C2.50%5D`},
		{"{{ l | escape }}", `[&quot;a&quot;,{&quot;b&quot;:1},[null]]`},
		{"{% capture c %}{{ o.l | strip }}{% endcapture %}{{ c }}", `[1,2.50]`},
		{"{% for p in o limit: 1 %}{{ p }}{% endfor %}", `k1`},
	} {
		if got := render(t, tt.source, data); got != tt.want {
			t.Errorf("%s renders %s, want %s", tt.source, got, tt.want)
		}
	}
}

func TestUniqTellsKindsApart(t *testing.T) {
	const data = `{"l":[1,1.0,"1",{"a":[1]},{"a":["1"]},null,"null","a","\u0061",{"a": [ 1 ]},1]}`
	if got, want := render(t, "{{ l | uniq | json }}", data), `[1,1.0,"1",{"a":[1]},{"a":["1"]},null,"null","a"]`; got != want {
		t.Errorf("uniq gives %s, want %s", got, want)
	}
}

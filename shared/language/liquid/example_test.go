package liquid_test

import (
	"fmt"
	"net/url"

	"github.com/postino/postino/shared/language/liquid"
)

// vars decodes an event's data once; every render of the event shares it.
func vars(document string) map[string]liquid.Value {
	data, err := liquid.Decode([]byte(document))
	if err != nil {
		panic(err)
	}
	return map[string]liquid.Value{"data": data, "subject": liquid.String("u1")}
}

func ExampleTemplate_Render() {
	t, _ := liquid.Parse(`Dear {{ data.name | capitalize }}, you have {{ data.points | plus: 10 }} points.`, liquid.Options{})
	text, err := t.Render(liquid.Scope{Vars: vars(`{"name": "ada", "points": 32}`)})
	fmt.Println(text, err)
	// Output: Dear Ada, you have 42 points. <nil>
}

func ExampleTemplate_Eval() {
	t, _ := liquid.Parse(`{{ data.legs }}`, liquid.Options{})
	v, err := t.Eval(liquid.Scope{Vars: vars(`{"legs": [{"price": 10.50}]}`)})
	fmt.Println(string(v.AppendJSON(nil)), err)
	// Output: [{"price": 10.50}] <nil>
}

func ExampleTemplate_Segments() {
	t, _ := liquid.Parse(`{{ subject }}:{{ secrets.crm }}`, liquid.Options{Secrets: true})
	segments, err := t.Segments(liquid.Scope{Vars: vars(`{}`)})
	fmt.Printf("%q %v\n", segments, err)
	// Output: [{"u1:" ""} {"" "crm"}] <nil>
}

func ExampleScope_escape() {
	t, _ := liquid.Parse(`https://crm.example/users/{{ data.id }}`, liquid.Options{})
	text, err := t.Render(liquid.Scope{
		Vars: vars(`{"id": "../admin?x=1"}`),
		Escape: func(_ int, before []byte, text string) (string, error) {
			return url.PathEscape(text), nil
		},
	})
	fmt.Println(text, err)
	// Output: https://crm.example/users/..%2Fadmin%3Fx=1 <nil>
}

func ExampleNewBudget() {
	budget := liquid.NewBudget(liquid.Limits{Steps: 1000}) // for all templates of one request
	t, _ := liquid.Parse(`{% for i in (1..1000000000) %}{% endfor %}`, liquid.Options{})
	_, err := t.Render(liquid.Scope{Budget: budget})
	fmt.Println(err)
	// Output: line 1, column 1: over the budget of 1000 steps
}

func ExampleParse() {
	_, err := liquid.Parse("Hello\n{{ data.name | capitalise }}", liquid.Options{})
	fmt.Println(err)
	// Output: line 2, column 16: unknown filter "capitalise"; did you mean "capitalize"?
}

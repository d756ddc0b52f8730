// Package liquid renders untrusted templates in Shopify's language Liquid,
// within limits and without access to files, network or environment. It reads
// the clock only to end renders that take too long.
//
// [Parse] compiles a template once. It refuses what it does not understand, with line and column: unknown tags and
// filters, wrong numbers of arguments, delimiters that are left over, tags that do not close each other. [Decode] reads
// event data once. Then [Template.Render] gives text, [Template.Eval] the typed value of a template that is exactly
// one {{ … }}, and [Template.Segments] text with places for secrets, any number of times and at once.
//
//	t, err := liquid.Parse(`Hello {{ data.name | capitalize }}`, liquid.Options{})
//	data, err := liquid.Decode([]byte(`{"name": "ada"}`))
//	text, err := t.Render(liquid.Scope{Vars: map[string]liquid.Value{"data": data}})
//
// # The language
//
// Tags: abort, assign, break, capture, case, comment, continue, cycle, decrement, doc, echo, for, if, ifchanged, increment, liquid, raw,
// tablerow, unless, and # for comments. {% abort %} and {% abort "reason" %} end a render with an [Abort].
//
// Filters: all of Shopify's standard ones, and json, sha256 and hmac_sha256: text | hmac_sha256: key. The filter json gives one line;
// numbers and escapes in it are as they were published.
//
// Numbers. Integers stay integers of any size up to 400 digits. Decimals are computed as they are written (10.1 minus 2.2
// is 7.9) and kept as 64-bit floats. A number that no filter touched is printed as it was published: 10.50, 1e2.
//
// Dates are in UTC unless they name an offset themselves. The words now and today mean [Scope].Now.
//
// Secrets: {{ secrets.name }}, alone and with no filter, if [Options] allow it. It may not stand in capture or ifchanged.
// Every other mention of secrets is an error of the template.
//
// Leftovers: }} and %} in the text are errors, unless braces that the text itself opened explain them, as in {"a":{"b":1}}.
//
// # Differences from Shopify
//
// The public golden-liquid suite passes (testdata/verdicts.jsonl), except for this template:
//
//	{% case title %}{% when 'foo' %}foo{% when 'bar' and 'Hello', 'Hello' %}bar{% endcase %}: Ruby ignores what it does not understand in a when; we say so when the template is saved
//
// Tests that leave a }} or %} in the text would be refused as well. Neither include nor render exist. Errors end the render instead of being printed into its text. {% else if %} is refused,
// because Ruby takes it for else. Objects in text are JSON, and so are arrays that a filter wants as text: Ruby's own form, {"a"=>1}, can be
// read by nobody else. Names that are assigned must be plain names. The size of a number is 0, not
// the bytes that Ruby keeps it in. Names are case-sensitive everywhere, and the filter date knows no words but those of dates,
// and no numbers of milliseconds. There is no variable self, no -0.0 and no infinity. A comment may hold an open tag.
package liquid

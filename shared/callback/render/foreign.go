package render

import "regexp"

// foreignWords are what templates of other platforms have, with what to write instead.
var foreignWords = []struct {
	found   *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`connected_content`), "there is no connected_content, as templates read nothing from the network: keep what they need in the profile, or in the event's data"},
	{regexp.MustCompile(`abort_message`), `for abort_message write {% abort "reason" %}`},
	{regexp.MustCompile(`content_blocks`), "there are no content_blocks: write their text here"},
	{regexp.MustCompile(`catalog_items|catalog_selection_items|product_recommendations`), "there are no catalogs: keep what the template needs in the event's data"},
	{regexp.MustCompile(`custom_attribute`), "for {{custom_attribute.${plan}}} write {{ profile.plan }}"},
	{regexp.MustCompile(`(event|api_trigger|canvas_entry)_properties|\bcontext\.\$\{`), "for {{event_properties.${name}}} write {{ data.name }}"},
	{regexp.MustCompile(`\b(campaign|canvas|card)\.\$\{`), "for {{campaign.${name}}} write {{ subscription.name }}, or {{ subscription.metadata.… }} for what you keep there"},
	{regexp.MustCompile(`\$\{\s*(user_id|external_id|braze_id)\b`), "for {{${user_id}}} write {{ subject }}"},
	{regexp.MustCompile(`\$\{`), "for {{${first_name}}} write {{ profile.first_name }}"},
}

// foreign says, of a template that cannot be compiled, what to write instead of what
// another platform has; "" if it has nothing of the kind.
func foreign(source string) string {
	for _, w := range foreignWords {
		if w.found.MatchString(source) {
			return "; " + w.instead
		}
	}
	return ""
}

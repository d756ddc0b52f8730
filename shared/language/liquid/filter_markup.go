package liquid

import "strings"

var markupFilters = []filter{
	{"escape", 0, 0, "", unlessNull(textual(6, htmlEscaper.Replace))},
	{"escape_once", 0, 0, "", textual(6, escapeOnce)},
	{"h", 0, 0, "", unlessNull(textual(6, htmlEscaper.Replace))},
	{"newline_to_br", 0, 0, "", textual(7, breaks.Replace)},
	{"strip_html", 0, 0, "", textual(2, stripHTML)},
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", ">", "&gt;", "<", "&lt;", `"`, "&quot;", "'", "&#39;")

var breaks = strings.NewReplacer("\r\n", "<br />\n", "\n", "<br />\n")

// escapeOnce leaves the & of what is escaped already.
func escapeOnce(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			b.WriteString(htmlEscaper.Replace(s))
			return b.String()
		}
		b.WriteString(htmlEscaper.Replace(s[:i]))
		if n := entityLen(s[i+1:]); n > 0 {
			b.WriteString(s[i : i+1+n])
			s = s[i+1+n:]
			continue
		}
		b.WriteString("&amp;")
		s = s[i+1:]
	}
}

// entityLen measures amp; or #38; at the beginning of s, 0 if there is neither.
func entityLen(s string) int {
	n := 0
	if strings.HasPrefix(s, "#") {
		for n++; n < len(s) && isDigit(s[n]); n++ {
		}
		if n == 1 {
			return 0
		}
	} else {
		for n < len(s) && s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z' {
			n++
		}
	}
	if n == 0 || n == len(s) || s[n] != ';' {
		return 0
	}
	return n + 1
}

// htmlBlocks lose what stands in them too.
var htmlBlocks = [][2]string{{"<script", "</script>"}, {"<!--", "-->"}, {"<style", "</style>"}}

// stripHTML drops those blocks first and then everything from < to >.
func stripHTML(s string) string {
	s = dropBetween(s, func(rest string) (start, end string) {
		for _, b := range htmlBlocks {
			if strings.HasPrefix(rest, b[0]) {
				return b[0], b[1]
			}
		}
		return "", ""
	})
	return dropBetween(s, func(string) (start, end string) { return "<", ">" })
}

// dropBetween drops what goes from a start, which begins with <, to the next end. A start without one stays.
func dropBetween(s string, at func(rest string) (start, end string)) string {
	if strings.IndexByte(s, '<') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	absent := map[string]bool{} // ends that do not occur any more
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i:]
		start, end := at(s)
		n := -1
		if start != "" && !absent[end] {
			n = strings.Index(s[len(start):], end)
			absent[end] = n < 0
		}
		if n < 0 {
			b.WriteByte('<')
			s = s[1:]
			continue
		}
		s = s[len(start)+n+len(end):]
	}
}

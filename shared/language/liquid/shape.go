package liquid

// Piece is one part of what a template may print, in the order of its source. Pieces that are captured are not
// among them: an output prints what they became.
type Piece struct {
	Kind   PieceKind
	Offset int       // where in the source it begins, in bytes; see [Template.Place]
	Text   string    // of a Literal
	Output int       // of a Printed: its index in [Template.Outputs]
	Parts  [][]Piece // of OneOf, each a list of pieces; of AnyTimes the only one
}

// PieceKind says how often a piece is printed.
type PieceKind int

// The kinds of pieces.
const (
	Literal  PieceKind = iota // Text, as it is
	Printed                   // what an output prints
	OneOf                     // exactly one of Parts
	AnyTimes                  // Parts[0], any number of times, perhaps never
	Leaves                    // nothing: the loop around it ends here or goes on with its next item; without one, the render ends
	Ends                      // nothing: no render comes past it
)

// Pieces returns what the template may print.
func (t *Template) Pieces() []Piece { return t.pieces(t.body) }

func (t *Template) pieces(b block) []Piece {
	var list []Piece
	for _, n := range b.nodes {
		if s, ok := n.(shaped); ok {
			pieces, off := s.shape(t)
			for i := range pieces {
				pieces[i].Offset = off
			}
			list = append(list, pieces...)
		}
	}
	return list
}

// Place returns the line and the column of a byte of the source, both from 1.
func (t *Template) Place(offset int) (line, column int) { return place(t.source, offset) }

// shaped is a node that prints, or decides whether others do. All its pieces begin at off.
type shaped interface {
	shape(t *Template) (pieces []Piece, off int)
}

func literally(text string, off int) Piece { return Piece{Kind: Literal, Offset: off, Text: text} }

func (l *literalText) shape(*Template) ([]Piece, int) {
	return []Piece{literally(l.text, l.off)}, l.off
}

func (o *output) shape(*Template) ([]Piece, int) {
	return []Piece{{Kind: Printed, Output: o.index}}, o.off
}

// A counter prints digits, whatever happens.
func (c *counter) shape(*Template) ([]Piece, int) { return []Piece{literally("0", c.off)}, c.off }

func (c *cycle) shape(*Template) ([]Piece, int) {
	if c.prints {
		return []Piece{{Kind: Printed, Output: c.index}}, c.off
	}
	choice := Piece{Kind: OneOf}
	for _, item := range c.items {
		choice.Parts = append(choice.Parts, []Piece{literally(item.(*literal).value.Text(), c.off)})
	}
	return []Piece{choice}, c.off
}

func (i *ifChanged) shape(t *Template) ([]Piece, int) {
	return []Piece{{Kind: OneOf, Parts: [][]Piece{t.pieces(i.body), nil}}}, i.off
}

func (c *choice) shape(t *Template) ([]Piece, int) {
	piece := Piece{Kind: OneOf}
	exhaustive := false
	for _, b := range c.branches {
		piece.Parts = append(piece.Parts, t.pieces(b.body))
		exhaustive = exhaustive || b.condition == nil
	}
	if !exhaustive {
		piece.Parts = append(piece.Parts, nil)
	}
	return []Piece{piece}, c.off
}

func (s *selection) shape(t *Template) ([]Piece, int) {
	var list []Piece
	for _, w := range s.whens {
		list = append(list, Piece{Kind: AnyTimes, Parts: [][]Piece{t.pieces(w.body)}})
	}
	return list, s.off
}

func (l *loop) shape(t *Template) ([]Piece, int) {
	again := Piece{Kind: AnyTimes, Parts: [][]Piece{t.pieces(l.body)}}
	if len(l.otherwise.nodes) == 0 {
		return []Piece{again}, l.off
	}
	return []Piece{{Kind: OneOf, Parts: [][]Piece{{again}, t.pieces(l.otherwise)}}}, l.off
}

func (t *table) shape(of *Template) ([]Piece, int) {
	cell := append([]Piece{literally(`<td class="col1">`, t.off)}, of.pieces(t.body)...)
	cell = append(cell, literally("</td>", t.off),
		Piece{Kind: OneOf, Offset: t.off, Parts: [][]Piece{{literally("</tr>\n<tr class=\"row1\">", t.off)}, nil}})
	return []Piece{literally("<tr class=\"row1\">\n", t.off), {Kind: AnyTimes, Parts: [][]Piece{cell}}, literally("</tr>\n", t.off)}, t.off
}

func (*interrupt) shape(*Template) ([]Piece, int) { return []Piece{{Kind: Leaves}}, 0 }

func (*abortion) shape(*Template) ([]Piece, int) { return []Piece{{Kind: Ends}}, 0 }

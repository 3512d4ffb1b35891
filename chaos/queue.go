package chaos

// queue holds the pieces of one direction in order.
type queue struct {
	pieces []piece
	first  int
	held   int // bytes
}

func (q *queue) head() *piece {
	if q.first == len(q.pieces) {
		return nil
	}
	return &q.pieces[q.first]
}

func (q *queue) push(p piece) {
	q.pieces = append(q.pieces, p)
	q.held += p.size()
}

func (q *queue) pop() {
	q.held -= q.pieces[q.first].size()
	q.pieces[q.first] = piece{} // let go of the bytes
	q.first++
	switch {
	case q.first == len(q.pieces):
		q.pieces, q.first = q.pieces[:0], 0
	case q.first >= 64 && q.first*2 >= len(q.pieces):
		n := copy(q.pieces, q.pieces[q.first:])
		clear(q.pieces[n:])
		q.pieces, q.first = q.pieces[:n], 0
	}
}

// checkout, version 3: prices in cents, so that sums are exact.
const CENTS = { coffee: 320, cake: 450, tea: 280 };

export function checkout({ cart = ['coffee'] }) {
  const paid = cart.filter((_, at) => (at + 1) % 10 !== 0);
  const total = paid.reduce((sum, item) => sum + (CENTS[item] ?? 0), 0);
  return { total: total / 100 };
}

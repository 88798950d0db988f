// checkout, version 1: adds up a cart.
const PRICES = { coffee: 3.2, cake: 4.5, tea: 2.8 };

export function checkout({ cart = ['coffee'] }) {
  const total = cart.reduce((sum, item) => sum + (PRICES[item] ?? 0), 0);
  return { total: Number(total.toFixed(2)) };
}

// checkout, version 1: adds up a cart.
const PRICES = { coffee: 3.2, cake: 4.5, tea: 2.8 };

export async function handler(event, context) {
  const cart = event.cart ?? ['coffee'];
  const total = cart.reduce((sum, item) => sum + (PRICES[item] ?? 0), 0);
  return { statusCode: 200, release: context.functionVersion, total: Number(total.toFixed(2)) };
}
